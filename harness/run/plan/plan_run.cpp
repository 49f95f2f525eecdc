// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/plan_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/units.h"
#include "harness/run/load_report.h"
#include "harness/run/plan/plan_coordinate.h"
#include "harness/run/plan/plan_orders.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

// Files may have to be written first.
constexpr Nanos kPrepareWithin = 600 * kSecond;
constexpr Nanos kAfterInterrupt = 2 * kSecond;
// Beyond fail_after: the controller names what is stuck before the worker gives up by itself.
constexpr Nanos kLeaveMargin = 5 * kSecond;
// A failing stall stands this long, for two looks and the minute before it to be whole.
constexpr Nanos kStandFor = 3 * kSecond;
// The first stall ends a run that waits for one, explained or not.
constexpr Nanos kFirstStallStandsFor = 5 * kSecond;

std::vector<LoadSchedule> schedules_of(const LoadPlan& plan) {
  std::vector<LoadSchedule> schedules;
  for (const WorkOrder& order : work_orders(plan, ""))
    for (const LoadOrder& load : order.loads) schedules.push_back(load.schedule);
  return schedules;
}

RunNews news_of(const LoadPlanOptions& options) {
  RunNews news{.command = "run", .target = options.plan.target, .labels = options.labels};
  if (!options.plan.target.empty()) news.targets[""] = options.plan.target;
  for (const PlanProcess& process : options.plan.processes)
    for (const PlanLoad& load : process.loads)
      if (load.path.starts_with('/')) news.targets[load.name] = load.path;
  if (!options.endless) news.duration_ms = static_cast<double>(options.plan.duration) / 1e6;
  return news;
}

std::string scratch_path(const TargetLook& target, const std::string& run_id) {
  return (target.path == "/" ? "" : target.path) + "/" + kScratchPrefix + run_id;
}

}  // namespace

PlanRun::PlanRun(const LoadPlanOptions& options, const TargetLook& target, RunDir run,
                 LiveLens lens, PlanLab lab, IncidentCaptures captures, CanaryChoice canary,
                 SignalWatch signals, std::optional<Coordination> coordination, Console& console)
    : options_(options),
      plan_(options.plan),
      target_(target),
      lab_(std::move(lab)),
      console_(console),
      seconds_(schedules_of(options.plan), options.plan.warmup),
      session_({.run = std::move(run),
                .lens = std::move(lens),
                .watchdog = lab_.watchdog(),
                .state = state_,
                .teller = *this,
                .signals = std::move(signals),
                .load_names = [this] { return lab_.load_names(); },
                .processes = [this] { return lab_.processes(); },
                .captures = std::move(captures),
                .fail_after =
                    [this](const IncidentRecord& incident) {
                      return fail_after_of(plan_, incident.stalled);
                    },
                .feed = options.feed,
                .news = news_of(options),
                .board = &lab_.board()}),
      second_rows_(session_.run_dir(), "series/seconds.csv", seconds_.csv_header(lab_.board())),
      told_gone_(options.plan.processes.size(), false),
      coordination_(std::move(coordination)),
      canaries_({.choice = std::move(canary),
                 .host = session_,
                 .watchdog = lab_.watchdog(),
                 .board = lab_.canary_board(),
                 .thresholds = plan_.limits.thresholds,
                 .forbidden =
                     [this](std::string_view when) {
                       return when == "after" && !lab_.all_workers_gone()
                                  ? std::string("a process of the load has not ended")
                                  : std::string();
                     },
                 .tell_passed =
                     [this](const std::string& what) {
                       console_.step(monotonic_now() - state_.clock.monotonic_ns, what);
                     },
                 .console = console}) {}

Result<> PlanRun::drive() {
  session_.begin();
  auto prepared = prepare();
  if (prepared && !state_.interrupted) {
    if (plan_.canary.before) canaries_.run("before");
    if (!state_.interrupted) announce();
    if (!state_.interrupted && meet()) {
      run();
      drain();
    }
    if (plan_.canary.after) canaries_.run("after");
  }
  finish();
  return prepared;
}

Result<> PlanRun::make_place() {
  if (coordination_)
    if (auto made = lab_.make_place(coordination_->meeting_place(), {}); !made) return made;
  if (!needs_target(plan_)) return {};
  std::vector<std::string> files;
  for (const PlanProcess& process : plan_.processes)
    for (const PlanLoad& load : process.loads)
      if (!load.path.starts_with('/')) files.push_back(load.path);
  if (coordination_ && shares_directory(plan_))
    if (auto made = lab_.make_place({.path = coordination_->shared_directory(target_.path),
                                     .device_major = target_.device_major,
                                     .device_minor = target_.device_minor,
                                     .mark = coordination_->mark()},
                                    files);
        !made)
      return made;
  return lab_.make_place({.path = scratch_path(target_, session_.run_dir().id()),
                          .device_major = target_.device_major,
                          .device_minor = target_.device_minor},
                         files);
}

Result<> PlanRun::prepare() {
  if (auto made = make_place(); !made) return made;
  const Nanos fail_after = longest_fail_after(plan_);
  lab_.spawn(work_orders(own_plan(plan_, coordination_, target_.path),
                         scratch_path(target_, session_.run_dir().id())),
             fail_after + kLeaveMargin);
  for (const PlanLab::Worker& worker : lab_.workers())
    session_.log_event(
        Json{{"event", "child"}, {"role", worker.name}, {"pid", worker.child.pid()}}.dump());
  const Nanos deadline = monotonic_now() + kPrepareWithin;
  while (lab_.take_ready()) {
    session_.serve();
    const Nanos now = monotonic_now();
    if (state_.interrupted || watchdog_gone()) break;
    if (now >= deadline)
      lab_.give_up_starting(
          "not ready within 10 minutes (its file system may be stuck: try "
          "stallproof capture)");
    console_.progress(fmt::format("{:6.1f} s  preparing files", state_.clock.ms(now) / 1e3),
                      "preparing files");
    session_.wait(deadline, descriptors());
  }
  take_refusals();
  if (!all_refused()) return {};
  return Failure(*lab_.workers().front().refusal);
}

bool PlanRun::all_refused() const {
  return std::all_of(lab_.workers().begin(), lab_.workers().end(),
                     [](const PlanLab::Worker& worker) { return worker.refusal.has_value(); });
}

// The other processes go on without it.
void PlanRun::take_refusals() {
  for (std::size_t i = 0; i < lab_.workers().size(); ++i) {
    PlanLab::Worker& worker = lab_.workers()[i];
    if (!worker.refusal) continue;
    told_gone_[i] = true;
    worker.child.signal(SIGKILL);
    lab_.release_slots(worker);
    state_.lost.push_back(
        fmt::format("process {} did not start: {}", worker.name, worker.refusal->what));
    session_.log_event(Json{{"event", "child_lost"}, {"role", worker.name}}.dump());
    if (!all_refused()) console_.problem(state_.lost.back());
  }
}

std::vector<int> PlanRun::descriptors() const {
  std::vector<int> found;
  for (const PlanLab::Worker& worker : lab_.workers()) {
    if (worker.ready.valid()) found.push_back(worker.ready.get());
    if (worker.child.pid() > 0 && !worker.child.reaped()) found.push_back(worker.child.pidfd());
  }
  return found;
}

Nanos PlanRun::end_ns() const {
  return options_.endless ? ~Nanos{0} : state_.load_ns + plan_.duration;
}

void PlanRun::run() {
  state_.load_ns = monotonic_now();
  seconds_.start(state_.load_ns, lab_.board());
  lab_.run_load();
  if (coordination_) coordination_->started(realtime_now());
  session_.log_event(Json{{"event", "load_started"}}.dump());
  if (coordination_) save_environment();
  for (;;) {
    session_.serve();
    check_workers();
    const Nanos now = monotonic_now();
    if (seconds_.sample_if_due(now, lab_.board())) {
      second_rows_.append(seconds_.csv_row(state_.clock.monotonic_ns));
      second_rows_.serve(now);
    }
    canary_beside(now);
    tell_unsaved();
    if (over(now)) break;
    show_progress(now);
    session_.wait(std::min(end_ns(), seconds_.next_due_ns()), descriptors());
  }
  state_.load_ended_ns = monotonic_now();
  canaries_.load_ended();
}

// In the middle of the load, once.
void PlanRun::canary_beside(Nanos now) {
  if (plan_.canary.beside && now >= state_.load_ns + plan_.duration / 2) canaries_.serve_beside();
}

bool PlanRun::over(Nanos now) {
  return now >= end_ns() || state_.interrupted || watchdog_gone() || stall_ends_it(now) ||
         lab_.all_workers_gone();
}

// A stall that cannot end well is not worth the rest of a night.
bool PlanRun::stall_ends_it(Nanos now) {
  if (session_.needs_the_stall()) return false;
  if (options_.until_stall && !session_.book().incidents().empty()) {
    const IncidentRecord& first = session_.book().incidents().front();
    if (first.resolved_ns || first.cycle_confirmed ||
        now >= first.detected_ns + kFirstStallStandsFor)
      return true;
  }
  const IncidentRecord* const incident = session_.book().standing();
  if (incident == nullptr || now < incident->onset_ns + kStandFor) return false;
  if (incident->allowed_ns) return now > incident->onset_ns + *incident->allowed_ns + kStandFor;
  return incident->cycle_confirmed ||
         now >= incident->onset_ns + fail_after_of(plan_, incident->stalled) + kSecond;
}

// One that ends well has nothing left to do; what others of the plan do is not its business.
void PlanRun::check_workers() {
  const Nanos at = state_.load_ended_ns == 0 ? monotonic_now() - state_.load_ns : plan_.duration;
  for (std::size_t i = 0; i < lab_.workers().size(); ++i) {
    PlanLab::Worker& worker = lab_.workers()[i];
    if (told_gone_[i]) continue;
    const auto status = worker.child.try_reap();
    if (!status) continue;
    told_gone_[i] = true;
    lab_.release_slots(worker);
    lab_.watchdog().forget_process(worker.child.pid());
    bool done = state_.load_ended_ns != 0;
    if (!done) {
      done = true;
      for (std::size_t load = 0; load < worker.loads; ++load)
        done = done && seconds_.over_at(worker.first_load + load, at);
    }
    if (*status == 0 && done) continue;
    state_.lost.push_back(
        fmt::format("process {} {}: {}", worker.name,
                    state_.load_ended_ns == 0 ? "ended in mid-run" : "did not end well",
                    describe_status(*status)));
    session_.log_event(
        Json{{"event", "child_lost"}, {"role", worker.name}, {"how", describe_status(*status)}}
            .dump());
    console_.problem(state_.lost.back());
  }
}

// What is in flight may still complete; what does not is named.
void PlanRun::drain() {
  lab_.stop_load();
  const bool standing =
      session_.book().standing() != nullptr && stall_ends_it(state_.load_ended_ns);
  Nanos patience = longest_fail_after(plan_) + kSecond;
  if (state_.interrupted || watchdog_gone()) patience = kAfterInterrupt;
  if (standing) patience = kSecond;
  const Nanos deadline = state_.load_ended_ns + patience;
  while (!lab_.all_workers_gone() && monotonic_now() < deadline) {
    const bool was_interrupted = state_.interrupted;
    session_.serve();
    if (state_.interrupted && !was_interrupted) break;
    console_.progress(fmt::format("{:6.1f} s  waiting for operations in flight",
                                  state_.clock.ms(monotonic_now()) / 1e3),
                      "waiting for operations in flight");
    session_.wait(deadline, descriptors());
  }
  check_workers();
  if (!lab_.all_workers_gone() && !standing && !state_.interrupted) tell_open_ops();
}

void PlanRun::tell_open_ops() {
  constexpr std::size_t kNamed = 8;
  const auto open = open_ios(lab_.board(), monotonic_now());
  for (std::size_t i = 0; i < std::min(open.size(), kNamed); ++i)
    state_.never_ended.push_back(fmt::format("{} at {:#x} has not completed for {} (thread {})",
                                             op_name(open[i].op), open[i].offset,
                                             format_duration(open[i].age_ns), open[i].tid));
  if (open.size() > kNamed)
    state_.never_ended.push_back(
        fmt::format("and {} more operations that have not completed", open.size() - kNamed));
}

// Before anything is killed: that fails what is in flight.
void PlanRun::take_failures() {
  for (const LoadEntry& load : lab_.board().loads()) {
    const WorkloadEntry totals = load_totals(lab_.board(), load);
    if (totals.errors > 0)
      state_.failures.push_back(
          fmt::format("{} operations of {} failed", totals.errors, load.name));
    if (totals.mismatches > 0)
      state_.failures.push_back(
          fmt::format("{} operations of {} read wrong data", totals.mismatches, load.name));
  }
}

// The watchdog ends first: that a killed process has nothing in flight is no end of a stall.
void PlanRun::finish() {
  take_failures();
  session_.finish();
  for (const std::string& stuck : lab_.kill_workers()) state_.left_behind.push_back(stuck);
  for (const std::string& thing : lab_.clean_up()) state_.left_behind.push_back(thing);
  second_rows_.append("");
  second_rows_.close();
  session_.log_event(Json{{"event", "cleaned_up"}, {"left_behind", state_.left_behind}}.dump());
  for (const std::string& thing : state_.left_behind) console_.result("left behind: " + thing);
}

void PlanRun::abandon() {
  canaries_.abandon();
  lab_.abandon();
}

}  // namespace stallproof
