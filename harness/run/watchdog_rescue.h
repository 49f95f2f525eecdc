// SPDX-License-Identifier: Apache-2.0
// A CPU that the kernel does not give back, because something loops there with preemption off (what
// it calls a soft lockup), keeps whoever queues for it, of whatever priority: a watchdog that woke
// there is not run. The controller moves it: a task that queues is taken from its queue at once
// when its CPUs change (kernel/sched/core.c __set_cpus_allowed_ptr, 3.10 to 6.18). Controller, main
// thread; reads our own child's files in /proc; never waits.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "harness/base/clock.h"

namespace stallproof {

class WatchdogRescue {
 public:
  // Every loop of the controller. `silent`: since the watchdog's last sign of life. True when it
  // has been moved now: it queued, and was not run from one look to the next.
  bool serve(pid_t watchdog, Nanos silent, Nanos now);
  // The CPU it was moved from, once for each time.
  std::optional<int> take_moved() { return std::exchange(moved_from_, std::nullopt); }

 private:
  struct Look {
    int cpu = -1;
    std::uint64_t ran_ns = 0;
    bool operator==(const Look&) const = default;
  };
  bool move(pid_t thread, int cpu, Nanos now);
  void give_back(Nanos now);

  std::map<pid_t, Look> queued_;    // as of the last look
  std::map<pid_t, cpu_set_t> had_;  // before they were moved
  Nanos next_ns_ = 0, moved_ns_ = 0;
  std::optional<int> moved_from_;
};

}  // namespace stallproof
