// SPDX-License-Identifier: Apache-2.0
// Events of the call trace made into a profile: threads numbered by first appearance, times from
// the start. A profile is that of one memory map: when the process becomes another program, what
// was recorded before is dropped. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "harness/base/clock.h"
#include "harness/probe/map_event.h"
#include "workloads/storm/map_profile.h"

namespace stallproof {

class MapRecorder {
 public:
  struct Start {
    std::string comm, kernel;
    Nanos monotonic = 0, realtime = 0;
  };
  explicit MapRecorder(Start start);

  void take(const MapEvent& event);
  // As large as a profile may be; later events are not taken.
  [[nodiscard]] bool full() const;
  [[nodiscard]] std::size_t calls() const { return profile_.operations.size(); }
  // Programs that its child processes became.
  [[nodiscard]] const std::set<std::string>& other_programs() const { return other_programs_; }

  // `until`: CLOCK_MONOTONIC. Once.
  MapProfile finish(Nanos until, std::uint64_t lost, std::uint64_t failed);

 private:
  void begin_again(const MapEvent& exec);
  std::uint32_t thread_of(std::uint32_t tid);
  void add(const MapEvent& event);
  void add_clone(const MapEvent& event, MapOperation& operation);

  Start start_;
  MapProfile profile_;
  std::unordered_map<std::uint32_t, std::uint32_t> threads_;  // of those alive, by tid
  std::set<std::string> other_programs_;
  std::uint64_t beyond_ = 0;  // calls on addresses that a profile cannot hold
};

}  // namespace stallproof
