// SPDX-License-Identifier: Apache-2.0
// A mutex of one process as pthread_mutex_t makes one: the kernel sees it only where somebody
// waits, as a sleep in futex(2) that names no owner. Unlike std::mutex, a wait can be given up.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "harness/base/clock.h"

namespace stallproof {

class FutexMutex {
 public:
  void lock() {
    lock_unless([] { return false; }, nullptr);
  }
  // False: `give_up` said so. It is asked before each sleep; with `look_up` also that often.
  template <class GiveUp>
  bool lock_unless(const GiveUp& give_up, const timespec* look_up) {
    std::uint32_t seen = kFree;
    if (word_.compare_exchange_strong(seen, kTaken)) return true;
    while (word_.exchange(kWaitedFor) != kFree) {
      if (give_up()) return false;
      ::syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, kWaitedFor, look_up, nullptr, 0);
    }
    return true;
  }
  void unlock() {
    if (word_.exchange(kFree) != kWaitedFor) return;
    ::syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

 private:
  static constexpr std::uint32_t kFree = 0, kTaken = 1, kWaitedFor = 2;
  std::atomic<std::uint32_t> word_ = kFree;
};

}  // namespace stallproof
