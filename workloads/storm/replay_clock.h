// SPDX-License-Identifier: Apache-2.0
// The time of one pass through a profile: when a recorded moment is due, and the sleep until then,
// which ends at once when the pass does. Lateness of more than 200 ms (a stall, a busy machine)
// moves everything that is still to come, for all threads alike; it is not made up for by a burst.
#pragma once

#include <atomic>
#include <cstdint>

#include "harness/base/clock.h"

namespace stallproof {

class ReplayClock {
 public:
  // Before the pass; speed > 0.
  void start(double speed);
  // Sleeps until the moment is due. False: the pass is over, make no call any more.
  bool wait_until(std::uint64_t at_us);
  // Sleeps until the pass is over.
  void wait_for_end();
  // Ends the pass for every thread.
  void end();
  [[nodiscard]] bool ended() const { return ended_.load(std::memory_order_acquire) != 0; }
  [[nodiscard]] Nanos due(std::uint64_t at_us) const;
  // How far everything was moved.
  [[nodiscard]] Nanos moved() const { return moved_.load(std::memory_order_relaxed); }

 private:
  void sleep_until(Nanos at);
  void move_by(Nanos late, Nanos seen);
  double nanos_per_us_ = 1000;
  Nanos began_ = 0;
  std::atomic<Nanos> moved_ = 0;
  std::atomic<std::uint32_t> ended_ = 1;  // a futex word
};

}  // namespace stallproof
