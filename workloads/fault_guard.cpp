// SPDX-License-Identifier: Apache-2.0
#include "workloads/fault_guard.h"

#include <setjmp.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace stallproof {
namespace {

struct WayOut {
  sigjmp_buf here;
  CaughtFault caught;
};

// Where this thread goes on after a signal; null outside a guarded call.
thread_local WayOut* way_out = nullptr;

void on_fault(int number, siginfo_t* info, void*) {
  if (way_out != nullptr) {
    way_out->caught = {number, reinterpret_cast<std::uintptr_t>(info->si_addr)};
    ::siglongjmp(way_out->here, 1);
  }
  ::signal(number, SIG_DFL);  // the faulting instruction runs again and dies
}

struct Copy {
  std::byte* into;
  const std::byte* from;
  std::size_t size;
};

}  // namespace

Result<> catch_fault_signals() {
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  // Not blocked inside the handler: the jump out of it need not restore a mask, which would cost
  // two system calls for each guarded call.
  action.sa_flags = SA_NODEFER | SA_SIGINFO;
  for (const int number : {SIGBUS, SIGSEGV})
    if (::sigaction(number, &action, nullptr) != 0)
      return fail_errno("catch SIGBUS and SIGSEGV", errno, {}, Origin::infra);
  return {};
}

// No object with a destructor lives between sigsetjmp and the jump. The fences keep the compiler
// from moving the work to where the handler does not know the way out.
std::optional<CaughtFault> guarded_call(void (*work)(void*), void* argument) {
  WayOut mine;
  if (sigsetjmp(mine.here, 0) != 0) {
    way_out = nullptr;
    return mine.caught;
  }
  way_out = &mine;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  work(argument);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  way_out = nullptr;
  return std::nullopt;
}

std::optional<CaughtFault> guarded_copy(std::byte* into, const std::byte* from, std::size_t size) {
  Copy copy{into, from, size};
  return guarded_call(
      [](void* argument) {
        const Copy& wanted = *static_cast<const Copy*>(argument);
        std::memcpy(wanted.into, wanted.from, wanted.size);
      },
      &copy);
}

}  // namespace stallproof
