// SPDX-License-Identifier: Apache-2.0
// Requests that the receiver has taken from /dev/fuse and does not hand over yet, as an armed
// behaviour says: until it is disarmed, or for a while. Raw, so that every kind of request can be
// held in the same way; service threads stay idle meanwhile, and the client waits.
//
// Receiver thread only; never blocks. What is held when the connection ends is dropped: its client
// has been answered by the kernel.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/board/service_panel.h"

namespace stallproof {

class HeldRequests {
 public:
  // Keeps a reference. `pause`: of the slow behaviours.
  HeldRequests(const ServicePanel& panel, Nanos pause) : panel_(panel), pause_(pause) {}

  // True when the request is held; then its bytes were copied. One load when healthy.
  bool keep(std::span<const char> request) {
    const auto behaviour = static_cast<Behaviour>(panel_.behaviour.load(std::memory_order_acquire));
    return behaviour != Behaviour::plain && keep_as(behaviour, request);
  }
  [[nodiscard]] bool empty() const { return held_.empty(); }
  // The oldest one, if it is held no longer.
  std::optional<std::vector<char>> next_due();

 private:
  struct Held {
    Behaviour under;
    Nanos until;  // 0: as long as it is armed
    std::vector<char> bytes;
  };

  bool keep_as(Behaviour behaviour, std::span<const char> request);
  bool is_of_held_name(const std::string& name);

  const ServicePanel& panel_;
  const Nanos pause_;
  std::deque<Held> held_;
  std::uint64_t armed_ns_ = 0;
  std::string held_name_;  // of this arming
};

}  // namespace stallproof
