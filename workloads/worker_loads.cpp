// SPDX-License-Identifier: Apache-2.0
#include "workloads/worker_loads.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "harness/base/one_line.h"
#include "harness/base/prng.h"

namespace stallproof {
namespace {

// Of address space; resident is what a thread touches of it. A page on the stack is the most that
// a load puts there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStack = 1U << 20U;
#else
constexpr std::size_t kStack = 128U << 10U;
#endif

Result<> stay_on(const std::vector<unsigned>& cpus, const std::string& who) {
  if (cpus.empty()) return {};
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  for (const unsigned cpu : cpus)
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &allowed);
  if (::sched_setaffinity(0, sizeof allowed, &allowed) == 0) return {};
  return fail_errno(fmt::format("{}: run on CPUs {} only", who, fmt::join(cpus, ",")), errno,
                    "give CPUs that are online and in this process's cpuset");
}

}  // namespace

Result<std::unique_ptr<WorkerLoads>> WorkerLoads::prepare(Board board, const WorkOrder& order) {
  std::unique_ptr<WorkerLoads> loads(new WorkerLoads);
  loads->board_ = std::move(board);
  if (auto there = stay_on(order.cpus, order.name); !there) return Failure{there.error()};
  for (const LoadOrder& load : order.loads)
    if (auto added = loads->add(load, order.cpus); !added) return Failure{added.error()};
  if (loads->loads_.empty()) return fail("no load on the board is in the catalogue");
  return loads;
}

Result<> WorkerLoads::add(const LoadOrder& order, const std::vector<unsigned>& process_cpus) {
  auto load = std::make_unique<Load>();
  load->order = order;
  load->info = find_workload(order.workload);
  load->entry = board_.find_load(order.name);
  if (load->info == nullptr || load->entry == nullptr)
    return fail(fmt::format("load {}: no such workload or not on the board", order.name),
                Origin::infra);
  if (load->info->unsupported != nullptr)
    if (const auto reason = load->info->unsupported())
      return fail(fmt::format("{}: {}", load->info->name, *reason), Origin::lacking);
  load->cpus = order.cpus.empty() ? process_cpus : order.cpus;
  load->workload = load->info->make();
  if (auto prepared =
          load->workload->prepare({.file = order.file,
                                   .settings = with_defaults(*load->info, order.settings),
                                   .threads = load->entry->slot_count});
      !prepared)
    return prepared;
  if (!order.schedule.on_at(0)) load->off.store(true);
  load->turn.store(order.schedule.on_at(0) ? running : waiting);
  loads_.push_back(std::move(load));
  return {};
}

// SIGBUS and SIGSEGV are the threads' own; every other signal is the main thread's to wait for.
Result<> WorkerLoads::start_threads() {
  for (const auto& load : loads_)
    for (unsigned index = 0; index < load->entry->slot_count; ++index)
      threads_.push_back({this, load.get(), index});
  sigset_t blocked;
  sigset_t before;
  ::sigfillset(&blocked);
  ::sigdelset(&blocked, SIGBUS);
  ::sigdelset(&blocked, SIGSEGV);
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
  pthread_attr_t small;
  ::pthread_attr_init(&small);
  ::pthread_attr_setstacksize(&small, kStack);
  ::pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  int failed = 0;
  for (Thread& thread : threads_) {
    pthread_t ignored{};
    if (failed == 0) failed = ::pthread_create(&ignored, &small, thread_entry, &thread);
  }
  ::pthread_attr_destroy(&small);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed == 0) return {};
  return fail_errno(fmt::format("start {} threads", threads_.size()), failed,
                    "raise ulimit -u, pids.max of the cgroup or kernel.threads-max");
}

void* WorkerLoads::thread_entry(void* given) {
  const Thread thread = *static_cast<Thread*>(given);
  thread.loads->live(*thread.load, thread.index);
  return nullptr;
}

// Everything a thread uses lives until _exit(): the thread may outlast every wait.
void WorkerLoads::live(Load& load, unsigned index) {
  const std::string& names = load.order.thread_names;
  const std::string name =
      thread_name(names.empty() ? std::string(load.info->thread_prefix) : names, index);
  ::pthread_setname_np(::pthread_self(), name.c_str());
  const std::uint32_t slot_number = load.entry->first_slot + index;
  BoardSlot& slot = board_.slots()[slot_number];
  const auto placed = stay_on(load.cpus, load.order.name);
  slot.tid.store(static_cast<std::uint32_t>(::syscall(SYS_gettid)), std::memory_order_release);
  const Result<> result = placed ? run_turns(load, index, slot, slot_number) : placed;
  if (!result) {
    std::fprintf(stderr, "%s\n", on_one_line(result.error().what).c_str());
    failed_.store(true);
  }
  slot.left.store(1, std::memory_order_release);
  // The end of a thread takes mmap_lock (its stack goes, do_exit reads the mm): a writer among
  // threads that may still be in the hazard. All end together, with the process.
  for (;;) ::pause();
}

Result<> WorkerLoads::run_turns(Load& load, unsigned index, BoardSlot& slot,
                                std::uint32_t slot_number) {
  while (board_.phase() == Phase::prepare && load.turn.load() != over)
    board_.wait_phase_change(Phase::prepare, Deadline::in(kSecond / 10));
  for (;;) {
    load.turn.wait(waiting);
    if (load.turn.load() == over || board_.phase() == Phase::stop) return {};
    const std::uint32_t turn = load.turns.load();
    WorkerContext ctx{
        .slot = slot,
        .index = index,
        .seed = Prng::mix(board_.header().seed +
                          (slot_number + 1 + turn * kMaxSlots) * 0x9e3779b97f4a7c15ULL),
        .board = board_,
        .ended = load.off};
    if (auto ran = load.workload->run(ctx); !ran) return ran;
    // It ended by itself, in the turn that it began in.
    if (!load.off.load() && load.turns.load() == turn) return {};
  }
}

void WorkerLoads::turn_to(Load& load, Turn turn) {
  if (load.turn.load() == turn) return;
  load.off.store(turn != running);
  if (turn == running) load.turns.fetch_add(1);
  load.turn.store(turn);
  load.turn.notify_all();
}

void WorkerLoads::follow_schedules(Nanos now, bool ending) {
  if (began_ns_ == 0 && board_.phase() != Phase::prepare) began_ns_ = now;
  for (const auto& load : loads_) {
    if (load->turn.load() == over) continue;
    const Nanos at = began_ns_ == 0 ? 0 : now - began_ns_;
    if (ending || load->order.schedule.over_at(at))
      turn_to(*load, over);
    else if (began_ns_ != 0)
      turn_to(*load, load->order.schedule.on_at(at) ? running : waiting);
  }
}

bool WorkerLoads::all_started() const {
  return std::all_of(loads_.begin(), loads_.end(), [this](const auto& load) {
    const auto slots = board_.slots_of(*load->entry);
    return std::all_of(slots.begin(), slots.end(),
                       [](const BoardSlot& slot) { return slot.tid.load() != 0; });
  });
}

bool WorkerLoads::all_left() const {
  return std::all_of(loads_.begin(), loads_.end(), [this](const auto& load) {
    const auto slots = board_.slots_of(*load->entry);
    return std::all_of(slots.begin(), slots.end(),
                       [](const BoardSlot& slot) { return slot.left.load() != 0; });
  });
}

void WorkerLoads::cleanup() {
  for (const auto& load : loads_) load->workload->cleanup();
}

}  // namespace stallproof
