// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_worker.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include "harness/base/process.h"
#include "harness/base/settings.h"
#include "workloads/io/io_engine.h"
#include "workloads/io/jvm_profile.h"
#include "workloads/role_words.h"

namespace stallproof {
namespace {

constexpr Nanos kLeaveWithin = 2 * kSecond;
constexpr Nanos kStartWithin = 60 * kSecond;
constexpr long kPollNanos = 5'000'000;

struct IoProcess {
  EngineContext context;
  std::vector<EngineThread> threads;
};

Result<> prepare(IoProcess& process, const Settings& words) {
  const auto board_fd = words.count("board", 0);
  const auto panel_fd = words.count("panel", 0);
  const auto job_fd = words.count("job", 0);
  for (const auto* const fd : {&board_fd, &panel_fd, &job_fd})
    if (!*fd) return Failure((*fd).error());
  auto job = job_of_memory(static_cast<int>(*job_fd));
  if (!job) return Failure(job.error());
  auto board = Board::attach(static_cast<int>(*board_fd), true);
  if (!board) return Failure(board.error());
  auto panel = IoPanel::attach(static_cast<int>(*panel_fd));
  if (!panel) return Failure(panel.error());
  auto files = open_files(*job);
  if (!files) return Failure(files.error());
  EngineContext& context = process.context;
  context.job = std::move(*job);
  context.board = std::move(*board);
  context.panel = std::move(*panel);
  context.files = std::move(*files);
  context.source = make_source(context.job);
  // What an earlier worker left in them.
  for (BoardSlot& slot : context.board.slots()) {
    slot.op_started_ns.store(0, std::memory_order_relaxed);
    slot.tid.store(0, std::memory_order_release);
  }
  if (context.job.validation.on) {
    const auto maps_fd = words.count("maps", 0);
    if (!maps_fd) return Failure(maps_fd.error());
    auto validation = attach_validation(context.job, static_cast<int>(*maps_fd));
    if (!validation) return Failure(validation.error());
    context.validation = std::move(*validation);
  }
  process.threads = threads_of(context.job);
  return {};
}

void thread_main(IoProcess& process, const EngineThread& thread) {
  const JobFile& file = process.context.job.files[thread.file];
  ::pthread_setname_np(::pthread_self(),
                       fmt::format("{}/{}", file.name, thread.first).substr(0, 15).c_str());
  // Due times are kept to the microsecond, not to the 50 us by which timers may be joined.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  if (process.context.job.engine == IoEngine::uring)
    run_uring_thread(process.context, thread);
  else
    run_psync_thread(process.context, thread);
  for (BoardSlot& slot : process.context.slots_of(thread))
    slot.left.store(1, std::memory_order_release);
  // The end of a thread takes mmap_lock; all end together, with the process.
  for (;;) ::pause();
}

void start_threads(IoProcess& process) {
  sigset_t blocked;
  sigset_t before;
  ::sigfillset(&blocked);
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
  for (const EngineThread& thread : process.threads)
    std::thread([&process, &thread] { thread_main(process, thread); }).detach();
  if (process.context.job.jvm)
    std::thread([&process] {
      ::pthread_setname_np(::pthread_self(), "jvm");
      while (process.context.board.phase() == Phase::prepare)
        process.context.board.wait_phase_change(Phase::prepare, Deadline::in(kSecond / 10));
      run_jvm_thread(process.context);
      for (;;) ::pause();
    }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

template <class Predicate>
bool every_slot(IoProcess& process, Predicate predicate) {
  for (const EngineThread& thread : process.threads)
    for (const BoardSlot& slot : process.context.slots_of(thread))
      if (!predicate(slot)) return false;
  return true;
}

Result<> wait_until_started(IoProcess& process) {
  const Deadline start_by = Deadline::in(kStartWithin);
  while (!every_slot(process, [](const BoardSlot& slot) { return slot.tid.load() != 0; })) {
    if (const auto refusal = process.context.refusal()) return Failure(*refusal);
    if (start_by.passed()) return fail("threads did not start", Origin::infra);
    ::poll(nullptr, 0, 1);
  }
  return {};
}

void sync_files(const EngineContext& context) {
  for (std::size_t i = 0; i < context.files.size(); ++i)
    if (context.job.files[i].sync_at_end) ::fsync(context.files[i].get());
}

int wait_until_left(IoProcess& process, const sigset_t& watched) {
  const timespec tick{0, kPollNanos};
  std::optional<Deadline> leave_by;
  while (!every_slot(process, [](const BoardSlot& slot) { return slot.left.load() != 0; })) {
    if (::sigtimedwait(&watched, nullptr, &tick) == SIGTERM && !leave_by) {
      process.context.ended.store(true);
      leave_by = Deadline::in(kLeaveWithin);
    }
    if (leave_by && leave_by->passed()) return 3;
  }
  sync_files(process.context);
  return 0;
}

}  // namespace

int run_io_role(const std::vector<std::string>& words) {
  const int ready_fd = ready_fd_of(words);
  const auto settings = Settings::from_words(words);
  if (!settings) return refuse_role(ready_fd, settings.error());
  const sigset_t watched = block_ending_signals();
  // Never destroyed: threads outlast every wait.
  auto* const process = new IoProcess;
  if (const auto prepared = prepare(*process, *settings); !prepared)
    return refuse_role(ready_fd, prepared.error());
  start_threads(*process);
  if (const auto started = wait_until_started(*process); !started)
    ::_exit(refuse_role(ready_fd, started.error()));
  if (ready_fd >= 0) report_ready(ready_fd);
  ::_exit(wait_until_left(*process, watched));
}

}  // namespace stallproof
