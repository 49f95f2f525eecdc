// SPDX-License-Identifier: Apache-2.0
#include "harness/run/lab.h"

#include <fmt/format.h>
#include <signal.h>

#include "harness/run/cgroup_places.h"

namespace stallproof {

Result<Lab> Lab::start(const LabPlan& plan, const Thresholds& thresholds,
                       const std::string& run_id) {
  std::vector<Board::LoadSpec> loads;
  for (const LabPlan::Load& load : plan.loads) loads.push_back({load.name, load.threads});
  auto board = Board::create(loads, plan.seed);
  if (!board) return Failure(board.error());
  auto watchdog = WatchdogChild::create();
  if (!watchdog) return Failure(watchdog.error());
  auto journal = UndoJournal::create(run_id);
  if (!journal) return Failure(journal.error());

  Lab lab(plan, std::move(*board), std::move(*journal));
  lab.own_watchdog_ = std::make_unique<WatchdogChild>(std::move(*watchdog));
  lab.watchdog_ = lab.own_watchdog_.get();
  Result<> started = lab.start_watchdog(thresholds);
  if (started) started = lab.start_all(plan);
  if (!started) return lab.given_up(started.error());
  return lab;
}

Result<Lab> Lab::start_under(WatchdogChild& watchdog, Board board, const LabPlan& plan,
                             const std::string& run_id) {
  auto journal = UndoJournal::create(run_id);
  if (!journal) return Failure(journal.error());
  Lab lab(plan, std::move(board), std::move(*journal));
  lab.watchdog_ = &watchdog;
  if (auto started = lab.start_all(plan); !started) return lab.given_up(started.error());
  return lab;
}

Result<> Lab::start_all(const LabPlan& plan) {
  Result<> started;
  if (plan.service) started = start_ffs(plan.ffs);
  if (started && !plan.injector.empty()) started = start_injector(plan);
  if (started) started = start_worker(plan);
  return started;
}

Failure Lab::given_up(Error error) {
  for (const std::string& thing : end(false).left_behind) error.what += "; left behind: " + thing;
  return Failure(std::move(error));
}

Result<> Lab::start_watchdog(const Thresholds& thresholds) {
  return watchdog_->start({.thresholds = thresholds,
                           .board_fd = board_.fd(),
                           .noted = [this](pid_t pid) { journal_.note_process("watchdog", pid); }});
}

Result<> Lab::start_ffs(const Settings& given) {
  Settings words = given;
  words.set("mount", journal_.mount_point());
  if (auto started = start_child(ffs_, "ffs", words); !started) return started;
  const auto target = find_fuse_target(journal_.mount_point());
  if (!target) return Failure(target.error());
  if (!*target) return fail("start ffs: its mount is not in /proc/self/mountinfo", Origin::infra);
  target_ = **target;
  journal_.note_connection(target_.connection);
  watchdog_->watch_connection(target_.connection);
  watch(ffs_);
  return {};
}

void Lab::watch(const Child& child) {
  using Whose = WatchdogChild::Whose;
  watchdog_->watch_process(child.pid(), own_watchdog_ ? Whose::run : Whose::canary);
}

// Everything it makes lies below the run's own directory, or bears the run's name.
Result<> Lab::start_injector(const LabPlan& plan) {
  Settings words = plan.injector_words;
  words.set("injector", plan.injector);
  words.set("directory", journal_.directory());
  if (const auto places = cgroup_places_now(journal_.run()); places)
    add_cgroup_words(*places, words);
  if (auto started = start_child(injector_, "injector", words); !started) return started;
  watch(injector_);
  return {};
}

Result<> Lab::start_worker(const LabPlan& plan) {
  Settings words = plan.worker;
  if (plan.own_files) words.set("own-files", "yes");
  if (plan.last_cpu) words.set("last-cpu", "yes");
  const char* const given = board_.header().injector.file.data();
  if (given[0] != '\0')
    words.set("file", given);
  else
    words.set("file", fmt::format("{}/{}", journal_.mount_point(), plan.file));
  if (auto started = start_child(worker_, "worker", words); !started) return started;
  board_.header().injector.worker.store(worker_.pid());
  watch(worker_);
  return {};
}

Result<> Lab::start_child(Child& child, const char* role, Settings words) {
  words.set("board", std::to_string(board_.fd()));
  return start_role(child, role, std::move(words), {board_.fd()},
                    [this, role](pid_t pid) { journal_.note_process(role, pid); });
}

std::vector<std::string> Lab::load_names() const {
  std::vector<std::string> names;
  for (const LoadEntry& load : board_.loads()) names.emplace_back(load.name);
  return names;
}

std::vector<std::pair<const char*, Child*>> Lab::children() {
  std::vector<std::pair<const char*, Child*>> started;
  for (const auto& [role, child] : {std::pair<const char*, Child*>{"watchdog", &watchdog_->child()},
                                    {"ffs", &ffs_},
                                    {"injector", &injector_},
                                    {"worker", &worker_}})
    if (child->pid() > 0) started.emplace_back(role, child);
  return started;
}

std::string Lab::injector_problem() const {
  const InjectorPanel& panel = board_.header().injector;
  return panel.failed.load() == 0 ? std::string() : std::string(panel.problem.data());
}

Nanos Lab::arm() {
  ServicePanel& service = board_.header().service;
  const Nanos now = monotonic_now();
  service.armed_ns.store(now, std::memory_order_relaxed);
  service.behaviour.store(static_cast<std::uint32_t>(behaviour_), std::memory_order_release);
  if (arming_ == Arming::stop_service) ffs_.signal(SIGSTOP);
  if (arming_ == Arming::nap_service) nap_turns_ns_ = now;
  if (arming_ == Arming::stop_worker) worker_.signal(SIGSTOP);
  if (arming_ == Arming::injection) want(board_.header().injector, InjectorStep::injected);
  return now;
}

void Lab::undo() {
  ServicePanel& service = board_.header().service;
  switch (arming_) {
    case Arming::misbehaviour:
      service.behaviour.store(static_cast<std::uint32_t>(Behaviour::plain),
                              std::memory_order_release);
      return;
    case Arming::stop_service:
    case Arming::nap_service:
      nap_turns_ns_ = 0;
      return ffs_.signal(SIGCONT);
    case Arming::stop_worker:
      return worker_.signal(SIGCONT);
    case Arming::injection:
      return want(board_.header().injector, InjectorStep::healed);
    case Arming::load_itself:
      return;
  }
}

void Lab::follow(Nanos now) {
  if (nap_turns_ns_ == 0 || now < nap_turns_ns_) return;
  napping_ = !napping_;
  ffs_.signal(napping_ ? SIGSTOP : SIGCONT);
  nap_turns_ns_ = now + kNap;
}

}  // namespace stallproof
