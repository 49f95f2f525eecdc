// SPDX-License-Identifier: Apache-2.0
#include "workloads/sigbus_guard.h"

#include <setjmp.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace stallproof {
namespace {

// Where this thread goes on after a SIGBUS; null outside a guarded read.
thread_local sigjmp_buf* way_out = nullptr;

void on_sigbus(int number) {
  if (way_out != nullptr) ::siglongjmp(*way_out, 1);
  ::signal(number, SIG_DFL);  // the faulting instruction runs again and dies
}

}  // namespace

Result<> catch_sigbus() {
  struct sigaction action {};
  action.sa_handler = on_sigbus;
  // Not blocked inside the handler: the jump out of it need not restore a mask, which would cost
  // two system calls for each page.
  action.sa_flags = SA_NODEFER;
  if (::sigaction(SIGBUS, &action, nullptr) != 0)
    return fail_errno("catch SIGBUS", errno, {}, Origin::infra);
  return {};
}

// No object with a destructor lives between sigsetjmp and the jump in these two. The fences keep
// the compiler from moving the read to where the handler does not know the way out.
bool guarded_touch(const std::byte* at) {
  sigjmp_buf here;
  if (sigsetjmp(here, 0) != 0) {
    way_out = nullptr;
    return false;
  }
  way_out = &here;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  [[maybe_unused]] const std::byte value = *const_cast<const volatile std::byte*>(at);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  way_out = nullptr;
  return true;
}

bool guarded_copy(std::byte* into, const std::byte* from, std::size_t size) {
  sigjmp_buf here;
  if (sigsetjmp(here, 0) != 0) {
    way_out = nullptr;
    return false;
  }
  way_out = &here;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::memcpy(into, from, size);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  way_out = nullptr;
  return true;
}

}  // namespace stallproof
