// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/plan_lab.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>

#include "harness/board/shared_memory.h"
#include "harness/run/canary_rounds.h"

namespace stallproof {
namespace {

constexpr Nanos kAfterKill = 2 * kSecond;

bool readable(const Fd& descriptor) {
  pollfd item{descriptor.get(), POLLIN, 0};
  return ::poll(&item, 1, 0) > 0;
}

}  // namespace

Result<PlanLab> PlanLab::start(const LoadPlan& plan, const std::string& run_id,
                               const CanaryPlan* canary) {
  std::vector<Board::LoadSpec> loads;
  for (const PlanProcess& process : plan.processes)
    for (const PlanLoad& load : process.loads) loads.push_back({load.name, load.threads});
  auto board = Board::create(loads, plan.seed);
  if (!board) return Failure(board.error());
  auto watchdog = WatchdogChild::create();
  if (!watchdog) return Failure(watchdog.error());
  auto journal = UndoJournal::create(run_id, runtime_directory());
  if (!journal) return Failure(journal.error());
  PlanLab lab(std::move(*board), std::move(*watchdog), std::move(*journal));
  std::vector<OwnThresholds> own = own_thresholds(plan);
  if (canary != nullptr) {
    auto second = board_of(*canary);
    if (!second) return Failure(second.error());
    lab.canary_board_ = std::move(*second);
    const auto first = static_cast<std::uint32_t>(loads.size());
    for (const OwnThresholds& each : canary_thresholds(plan.limits.thresholds, first, canary->lab))
      own.push_back(each);
  }
  auto up = lab.watchdog_.start(
      {.thresholds = plan.limits.thresholds,
       .own = own,
       .board_fd = lab.board_.fd(),
       .noted = [&lab](pid_t pid) { lab.journal_.note_process("watchdog", pid); },
       .canary_fd = lab.canary_board_ ? lab.canary_board_->fd() : -1});
  if (up) return lab;
  Error error = up.error();
  for (const std::string& thing : lab.abandon()) error.what += "; left behind: " + thing;
  return Failure(std::move(error));
}

Result<> PlanLab::make_place(const ScratchDirectory& scratch,
                             const std::vector<std::string>& files) {
  journal_.note_scratch(scratch);
  return make_scratch(scratch, files);
}

void PlanLab::spawn(const std::vector<WorkOrder>& orders, Nanos leave_within) {
  std::size_t next = 0;
  for (const WorkOrder& order : orders) {
    Worker worker;
    worker.name = order.name;
    worker.first_load = next;
    worker.loads = order.loads.size();
    next += worker.loads;
    if (auto spawned = spawn_one(worker, order, leave_within); !spawned)
      worker.refusal = spawned.error();
    workers_.push_back(std::move(worker));
  }
}

Result<> PlanLab::spawn_one(Worker& worker, const WorkOrder& order, Nanos leave_within) {
  auto ready = Pipe::create();
  if (!ready) return Failure(ready.error());
  const auto memory = share_text(work_order_json(order));
  if (!memory) return Failure(memory.error());
  const std::vector<int> keep{board_.fd(), memory->get(), ready->write_end.get()};
  auto child = Child::spawn(
      "worker",
      {fmt::format("board={}", keep[0]), fmt::format("order={}", keep[1]),
       fmt::format("ready={}", keep[2]), fmt::format("leave-within={}ns", leave_within)},
      keep);
  if (!child) return Failure(child.error());
  worker.child = std::move(*child);
  worker.ready = std::move(ready->read_end);
  journal_.note_process("worker", worker.child.pid());
  watchdog_.watch_process(worker.child.pid());
  return {};
}

bool PlanLab::take_ready() {
  bool preparing = false;
  for (Worker& worker : workers_) {
    if (!worker.ready.valid()) continue;
    if (!readable(worker.ready)) {
      preparing = true;
      continue;
    }
    if (const auto up = wait_ready(worker.ready, worker.name, Deadline::in(kSecond)); !up)
      worker.refusal = up.error();
    worker.ready.reset();
  }
  return preparing;
}

void PlanLab::give_up_starting(const std::string& why) {
  for (Worker& worker : workers_) {
    if (!worker.ready.valid()) continue;
    worker.refusal = Error{fmt::format("process {}: {}", worker.name, why), Origin::infra};
    worker.ready.reset();
  }
}

void PlanLab::release_slots(const Worker& worker) {
  for (std::size_t i = 0; i < worker.loads; ++i)
    for (BoardSlot& slot : board_.slots_of(board_.loads()[worker.first_load + i]))
      slot.left.store(1, std::memory_order_release);
}

bool PlanLab::all_workers_gone() {
  return std::all_of(workers_.begin(), workers_.end(), [](Worker& worker) {
    return worker.child.pid() <= 0 || worker.child.try_reap().has_value();
  });
}

std::vector<std::string> PlanLab::kill_workers() {
  std::vector<std::string> stuck;
  for (const Worker& worker : workers_) worker.child.signal(SIGKILL);
  const Deadline deadline = Deadline::in(kAfterKill);
  for (Worker& worker : workers_) {
    if (worker.child.pid() <= 0 || worker.child.reap_by(deadline)) continue;
    stuck.push_back(fmt::format("process {} ({}, unkillable)", worker.child.pid(), worker.name));
    worker_stuck_ = true;
  }
  return stuck;
}

std::vector<std::string> PlanLab::clean_up() {
  std::vector<std::string> left;
  if (!worker_stuck_) left = journal_.remove_scratches();
  if (auto finished = journal_.finish(); !finished) left.push_back(finished.error().what);
  return left;
}

std::vector<std::string> PlanLab::abandon() {
  std::vector<std::string> left = kill_workers();
  if (const std::string stuck = watchdog_.end(); !stuck.empty()) left.push_back(stuck);
  for (std::string& thing : clean_up()) left.push_back(std::move(thing));
  return left;
}

std::vector<std::string> PlanLab::load_names() const {
  std::vector<std::string> names;
  for (const LoadEntry& load : board_.loads()) names.emplace_back(load.name);
  return names;
}

std::vector<pid_t> PlanLab::processes() const {
  std::vector<pid_t> pids;
  for (const Worker& worker : workers_)
    if (worker.child.pid() > 0 && !worker.child.reaped()) pids.push_back(worker.child.pid());
  return pids;
}

}  // namespace stallproof
