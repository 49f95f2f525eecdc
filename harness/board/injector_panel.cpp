// SPDX-License-Identifier: Apache-2.0
#include "harness/board/injector_panel.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace stallproof {

void want(InjectorPanel& panel, InjectorStep step) {
  panel.wanted.store(static_cast<std::uint32_t>(step), std::memory_order_release);
  ::syscall(SYS_futex, &panel.wanted, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

bool wait_for_step(const InjectorPanel& panel, InjectorStep step, Deadline deadline) {
  const auto wanted = static_cast<std::uint32_t>(step);
  for (;;) {
    if (panel.reached.load(std::memory_order_acquire) >= wanted) return true;
    if (panel.failed.load(std::memory_order_acquire) != 0 || deadline.passed()) return false;
    ::poll(nullptr, 0, 1);
  }
}

}  // namespace stallproof
