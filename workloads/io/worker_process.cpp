// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/worker_process.h"

#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <thread>

#include "workloads/io/jvm_profile.h"

namespace stallproof {
namespace {

constexpr Nanos kLeaveWithin = 2 * kSecond;
constexpr Nanos kStartWithin = 60 * kSecond;
constexpr long kPollNanos = 5'000'000;

void thread_main(const WorkerThread& thread) {
  ::pthread_setname_np(::pthread_self(), thread.name.substr(0, 15).c_str());
  // Due times are kept to the microsecond, not to the 50 us by which timers may be joined.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  thread.work();
  for (BoardSlot& slot : thread.slots) slot.left.store(1, std::memory_order_release);
  for (;;) ::pause();
}

void jvm_main(IoContext& context, std::uint64_t seed) {
  ::pthread_setname_np(::pthread_self(), "jvm");
  while (context.board.phase() == Phase::prepare)
    context.board.wait_phase_change(Phase::prepare, Deadline::in(kSecond / 10));
  run_jvm_thread(context, seed);
  for (;;) ::pause();
}

void start_threads(WorkerProcess& process) {
  sigset_t blocked;
  sigset_t before;
  ::sigfillset(&blocked);
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
  for (const WorkerThread& thread : process.threads)
    std::thread([&thread] { thread_main(thread); }).detach();
  if (process.jvm_seed)
    std::thread([&process] { jvm_main(process.context, *process.jvm_seed); }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

template <class Predicate>
bool every_slot(const WorkerProcess& process, Predicate predicate) {
  for (const WorkerThread& thread : process.threads)
    for (const BoardSlot& slot : thread.slots)
      if (!predicate(slot)) return false;
  return true;
}

}  // namespace

Result<> start_worker(WorkerProcess& process) {
  start_threads(process);
  const Deadline start_by = Deadline::in(kStartWithin);
  while (!every_slot(process, [](const BoardSlot& slot) { return slot.tid.load() != 0; })) {
    if (const auto refusal = process.context.refusal()) return Failure(*refusal);
    if (start_by.passed()) return fail("threads did not start", Origin::infra);
    ::poll(nullptr, 0, 1);
  }
  return {};
}

bool wait_until_left(WorkerProcess& process, const sigset_t& watched) {
  const timespec tick{0, kPollNanos};
  std::optional<Deadline> leave_by;
  while (!every_slot(process, [](const BoardSlot& slot) { return slot.left.load() != 0; })) {
    if (::sigtimedwait(&watched, nullptr, &tick) == SIGTERM && !leave_by) {
      process.context.ended.store(true);
      leave_by = Deadline::in(kLeaveWithin);
    }
    if (leave_by && leave_by->passed()) return false;
  }
  return true;
}

}  // namespace stallproof
