// SPDX-License-Identifier: Apache-2.0
#include "workloads/worker_role.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <thread>

#include "harness/base/prng.h"
#include "harness/base/process.h"
#include "workloads/catalogue.h"
#include "workloads/role_words.h"

namespace stallproof {
namespace {

constexpr Nanos kLeaveWithin = 2 * kSecond;
constexpr Nanos kStartWithin = 10 * kSecond;
constexpr long kPollNanos = 20'000'000;

struct RunningLoad {
  const WorkloadInfo* info = nullptr;
  const LoadEntry* entry = nullptr;
  std::unique_ptr<Workload> workload;
};

struct WorkerProcess {
  Board board;
  std::vector<RunningLoad> loads;
  std::atomic<bool> ended = false;
  std::atomic<bool> failed = false;
};

Result<Settings> parse_words(const std::vector<std::string>& words) {
  auto settings = Settings::from_words(words);
  if (!settings) return settings;
  std::vector<std::string> known = all_workload_parameters();
  known.insert(known.end(), {"board", "ready", "file"});
  if (auto refused = settings->refuse_unknown(known); !refused) return Failure{refused.error()};
  for (const char* needed : {"board", "file"})
    if (!settings->has(needed)) return fail(fmt::format("{}=... is missing", needed));
  return settings;
}

Result<RunningLoad> prepare_load(const LoadEntry& entry, const WorkloadInfo& info,
                                 const Settings& settings) {
  if (info.unsupported != nullptr)
    if (const auto reason = info.unsupported())
      return fail(fmt::format("{}: {}", info.name, *reason), Origin::lacking);
  RunningLoad load{&info, &entry, info.make()};
  const auto prepared = load.workload->prepare({.file = settings.text("file", ""),
                                                .settings = with_defaults(info, settings),
                                                .threads = entry.slot_count});
  if (!prepared) return Failure{prepared.error()};
  return load;
}

Result<> prepare(WorkerProcess& process, const Settings& settings) {
  const auto board_fd = settings.count("board", 0);
  if (!board_fd) return Failure{board_fd.error()};
  auto board = Board::attach(static_cast<int>(*board_fd), true);
  if (!board) return Failure{board.error()};
  process.board = std::move(*board);
  for (const LoadEntry& entry : process.board.loads()) {
    const WorkloadInfo* info = find_workload(entry.name);
    if (info == nullptr) continue;
    auto load = prepare_load(entry, *info, settings);
    if (!load) return Failure{load.error()};
    process.loads.push_back(std::move(*load));
  }
  if (process.loads.empty()) return fail("no load on the board is in the catalogue");
  return {};
}

// Everything a thread uses lives until _exit(): the thread may outlast every wait.
void thread_main(WorkerProcess& process, const RunningLoad& load, unsigned index) {
  ::pthread_setname_np(::pthread_self(),
                       fmt::format("{}/{}", load.info->thread_prefix, index).substr(0, 15).c_str());
  const std::uint32_t slot_number = load.entry->first_slot + index;
  BoardSlot& slot = process.board.slots()[slot_number];
  slot.tid.store(static_cast<std::uint32_t>(::syscall(SYS_gettid)), std::memory_order_release);
  WorkerContext ctx{
      .slot = slot,
      .index = index,
      .seed = Prng::mix(process.board.header().seed + (slot_number + 1) * 0x9e3779b97f4a7c15ULL),
      .board = process.board,
      .ended = process.ended};
  while (process.board.phase() == Phase::prepare && !ctx.stopping())
    process.board.wait_phase_change(Phase::prepare, Deadline::in(kSecond / 10));
  const auto result = ctx.stopping() ? Result<>{} : load.workload->run(ctx);
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().what.c_str());
    process.failed.store(true);
  }
  slot.left.store(1, std::memory_order_release);
  // The end of a thread takes mmap_lock (its stack goes, do_exit reads the mm): a writer among
  // threads that may still be in the hazard. All end together, with the process.
  for (;;) ::pause();
}

// SIGBUS and SIGSEGV are the threads' own; every other signal is the main thread's to wait for.
void start_threads(WorkerProcess& process) {
  sigset_t blocked;
  sigset_t before;
  ::sigfillset(&blocked);
  ::sigdelset(&blocked, SIGBUS);
  ::sigdelset(&blocked, SIGSEGV);
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
  for (const RunningLoad& load : process.loads)
    for (unsigned index = 0; index < load.entry->slot_count; ++index)
      std::thread([&process, &load, index] { thread_main(process, load, index); }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

template <class Predicate>
bool every_slot(WorkerProcess& process, Predicate predicate) {
  for (const RunningLoad& load : process.loads)
    for (const BoardSlot& slot : process.board.slots_of(*load.entry))
      if (!predicate(slot)) return false;
  return true;
}

bool all_started(WorkerProcess& process) {
  return every_slot(process, [](const BoardSlot& slot) { return slot.tid.load() != 0; });
}

bool all_left(WorkerProcess& process) {
  return every_slot(process, [](const BoardSlot& slot) { return slot.left.load() != 0; });
}

// Returns the exit code.
int wait_until_left(WorkerProcess& process, const sigset_t& watched) {
  const timespec tick{0, kPollNanos};
  std::optional<Deadline> leave_by;
  while (!all_left(process)) {
    if (::sigtimedwait(&watched, nullptr, &tick) == SIGTERM) process.ended.store(true);
    const bool stopping = process.ended.load() || process.board.phase() == Phase::stop;
    if (stopping && !leave_by) leave_by = Deadline::in(kLeaveWithin);
    if (leave_by && leave_by->passed()) return 3;
  }
  for (const RunningLoad& load : process.loads) load.workload->cleanup();
  return process.failed.load() ? 3 : 0;
}

}  // namespace

int run_worker_role(const std::vector<std::string>& words) {
  const int ready_fd = ready_fd_of(words);
  const auto settings = parse_words(words);
  if (!settings) return refuse_role(ready_fd, {"worker: " + settings.error().what});
  const sigset_t watched = block_ending_signals();
  WorkerProcess process;
  if (const auto prepared = prepare(process, *settings); !prepared)
    return refuse_role(ready_fd, {"worker: " + prepared.error().what, prepared.error().origin});
  start_threads(process);
  const Deadline start_by = Deadline::in(kStartWithin);
  while (!all_started(process) && !start_by.passed()) ::poll(nullptr, 0, 1);
  if (!all_started(process))
    ::_exit(refuse_role(ready_fd, {"worker: threads did not start", Origin::infra}));
  if (ready_fd >= 0) report_ready(ready_fd);
  ::_exit(wait_until_left(process, watched));
}

}  // namespace stallproof
