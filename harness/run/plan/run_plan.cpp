// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/run_plan.h"

#include <fmt/format.h>

#include <cstdlib>
#include <set>
#include <utility>

#include "harness/base/bounded.h"
#include "harness/probe/result_place.h"
#include "harness/run/crash_on_stall.h"
#include "harness/run/load_report.h"
#include "harness/run/plan/plan_coordinate.h"
#include "harness/run/plan/plan_run.h"
#include "harness/run/plan/plan_verdict.h"
#include "harness/run/verdict_delivery.h"

namespace stallproof {
namespace {

using Device = std::pair<std::uint32_t, std::uint32_t>;

// The target, and whatever absolute paths of loads lie on, by their words: links are not followed.
Result<> refuse_place(const LoadPlanOptions& options, const TargetLook& target) {
  std::vector<std::string> absolute;
  for (const PlanProcess& process : options.plan.processes)
    for (const PlanLoad& load : process.loads)
      if (load.path.starts_with('/') && !load.path.starts_with("/dev/"))
        absolute.push_back(load.path);
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kSecond));
  const auto mounts = parse_mountinfo(text ? *text : "");
  std::set<Device> devices;
  if (!target.path.empty()) devices.insert({target.device_major, target.device_minor});
  if (mounts)
    for (const std::string& path : absolute)
      if (const MountEntry* mount = mount_of(*mounts, path))
        devices.insert({mount->device_major, mount->device_minor});
  const std::string place = options.out.empty() ? state_directory() + "/runs" : options.out;
  return refuse_place_on_target(place, [&devices](const MountEntry& mount) {
    return devices.contains({mount.device_major, mount.device_minor});
  });
}

// What was said on the command line counts, else what the plan says.
void obey(CanaryWish wish, PlanCanary& canary) {
  if (wish == CanaryWish::as_planned) return;
  canary.enabled = is_wanted(wish);
  if (!canary.before && !canary.beside && !canary.after) canary.before = canary.after = true;
}

Result<CanaryChoice> choose(const LoadPlan& plan, CanaryWish wish) {
  if (!wants_canary(plan)) return CanaryChoice{};
  std::size_t loads = 0;
  for (const PlanProcess& process : plan.processes) loads += process.loads.size();
  return choose_canary(loads, wish);
}

std::vector<std::string> names_of(const PlanCanary& canary) {
  std::vector<std::string> names;
  if (canary.before) names.emplace_back("before");
  if (canary.beside) names.emplace_back("beside");
  if (canary.after) names.emplace_back("after");
  return names;
}

// What several nodes have in common is made common: the seed.
Result<std::optional<NodePlace>> take_place(LoadPlan& plan) {
  if (!plan.coordinate) return std::optional<NodePlace>();
  auto place =
      node_place(plan.coordinate->meet, [](const char* name) { return std::getenv(name); });
  if (!place) return Failure(place.error());
  // Before there is a run directory that would stay without a verdict.
  if (auto meet = look_at_target(place->meet); !meet)
    return fail("[coordinate]: meet: " + meet.error().what, meet.error().origin);
  if (plan.seed_drawn) plan.seed = seed_of_job(place->job);
  plan.seed_drawn = false;
  return std::optional<NodePlace>(std::move(*place));
}

Result<std::optional<Coordination>> coordinate(const LoadPlan& plan,
                                               const std::optional<NodePlace>& place,
                                               const std::string& run_id) {
  if (!place) return std::optional<Coordination>();
  auto made = Coordination::create(
      {.table = *plan.coordinate, .place = *place, .run = run_id, .plan = plan_toml(plan)});
  if (!made) return Failure(made.error());
  return std::optional<Coordination>(std::move(*made));
}

Result<TargetLook> look(const LoadPlan& plan) {
  if (!needs_target(plan)) return TargetLook{};
  auto target = look_at_target(plan.target);
  if (!target) return target;
  // Of files that nodes share others may have filled some: who finds no space says so.
  if (shares_directory(plan)) return target;
  const std::uint64_t bytes = planned_file_bytes(plan);
  if (bytes > target->free_bytes)
    return fail(
        fmt::format("target {}: the files of the plan hold {} MiB, {} MiB are free "
                    "(make them smaller by file-size)",
                    target->path, bytes >> 20U, target->free_bytes >> 20U));
  return target;
}

}  // namespace

Result<int> run_plan(const LoadPlanOptions& given, Console& console) {
  LoadPlanOptions options = given;
  const auto place = take_place(options.plan);
  if (!place) return Failure(place.error());
  const auto target = look(options.plan);
  if (!target) return Failure(target.error());
  if (!target->path.empty()) options.plan.target = target->path;
  if (auto allowed = check_policy(options.policy, options.out); !allowed)
    return Failure(allowed.error());
  obey(options.canary, options.plan.canary);
  auto canary = choose(options.plan, options.canary);
  if (!canary) return Failure(canary.error());
  auto lens = LiveLens::open(options.fs_files, options.plan.limits.thresholds.without);
  if (!lens) return Failure(lens.error());
  if (const std::string danger = panic_danger(); !danger.empty()) console.problem(danger);
  SignalWatch signals;
  for (const std::string& line : undo_leftovers(runtime_directory())) console.problem(line);
  if (auto allowed = refuse_place(options, *target); !allowed) return Failure(allowed.error());
  auto run = RunDir::create({.out = options.out,
                             .name_stem = options.plan.name,
                             .labels = options.labels,
                             .thresholds = run_thresholds(options.plan)});
  if (!run) return Failure(run.error());
  auto coordination = coordinate(options.plan, *place, run->id());
  if (!coordination) return Failure(coordination.error());
  run->echo_events([&console](std::string_view event) { console.json_line(event); });
  run->save("env.json", environment_json(*coordination ? (*coordination)->json() : "null"));
  run->save("plan.toml", plan_toml(options.plan));
  console.block(fmt::format("{} (seed {}), results in {}\n", options.plan.name, options.plan.seed,
                            run->path()));
  auto captures = IncidentCaptures::create(options.policy, *run, console, options.feed);
  if (!captures) return Failure(captures.error());
  auto lab = PlanLab::start(own_plan(options.plan, *coordination, target->path), run->id(),
                            canary->plan ? &*canary->plan : nullptr);
  if (!lab) return Failure(lab.error());
  if (!canary->refused.empty()) console.problem("no stall is made on purpose: " + canary->refused);
  if (target->device_major == 0 && target->fstype.starts_with("fuse"))
    lab->watchdog().watch_connection(target->device_minor);
  PlanRun plan_run(options, *target, std::move(*run), std::move(*lens), std::move(*lab),
                   std::move(*captures), std::move(*canary), std::move(signals),
                   std::move(*coordination), console);
  // Whatever goes wrong in our own code, the machine is put in order before it is reported.
  try {
    if (auto driven = plan_run.drive(); !driven) return Failure(driven.error());
    return plan_run.conclude();
  } catch (const std::exception& error) {
    plan_run.abandon();
    return fail(fmt::format("run: {}", error.what()), Origin::infra);
  }
}

int PlanRun::conclude() {
  const Evidence& evidence = lab_.watchdog().evidence();
  Verdict verdict;
  describe_run(verdict, state_.clock, plan_.limits.thresholds);
  verdict.run = session_.run_dir().id();
  set_thresholds(run_thresholds(plan_), verdict);
  verdict.settings = {{"plan", plan_.name},
                      {"seed", fmt::format("{}", plan_.seed)},
                      {"until_stall", options_.until_stall ? "yes" : "no"}};
  if (options_.until_stall) verdict.settings["endless"] = options_.endless ? "yes" : "no";
  verdict.labels = options_.labels;
  verdict.target_path = target_.path;
  verdict.target_fstype = target_.fstype;
  verdict.target_source = target_.source;
  note_target_facts(target_.facts, verdict);
  verdict.left_behind = state_.left_behind;
  verdict.captures = session_.captures();
  verdict.marks = session_.marks();
  verdict.observer = observer_entry(evidence, state_.figures, session_.book().incidents());
  verdict.observer.canary = canaries_.entry(names_of(plan_.canary));
  verdict.dropouts =
      dropout_entries(session_.book().dropouts(), lab_.load_names(), state_.clock, monotonic_now());
  PlanFacts facts{.interrupted = state_.interrupted,
                  .lost = state_.lost,
                  .impaired = impairments(evidence, state_.figures),
                  .failures = state_.failures,
                  .never_ended = state_.never_ended,
                  .left_behind = state_.left_behind,
                  .unsaved = session_.run_dir().first_problem(),
                  .limits = plan_.limits,
                  .load_limits = own_limits(plan_),
                  .until_stall = options_.until_stall};
  if (const auto& canary = verdict.observer.canary) {
    facts.blind = why_unproven(*canary);
    facts.proven = canary->passed;
  }
  for (const IncidentRecord& incident : session_.book().incidents())
    verdict.stalls.push_back(
        stall_entry(incident, state_.clock, fail_after_of(plan_, incident.stalled)));
  facts.stalls = verdict.stalls;
  const double warm_ms = state_.clock.ms(state_.load_ns + plan_.warmup);
  for (const DropoutEntry& dropout : verdict.dropouts)
    if (dropout.start_ms >= warm_ms) facts.dropouts.push_back(dropout);
  for (std::size_t i = 0; i < lab_.board().loads().size(); ++i) {
    const LoadEntry& load = lab_.board().loads()[i];
    WorkloadEntry entry = load_totals(lab_.board(), load);
    entry.per_second_min = seconds_.least(i);
    if (entry.ops == 0 && entry.per_second_min) facts.idle.emplace_back(load.name);
    facts.ops[load.name] = entry.ops;
    verdict.workloads[load.name] = entry;
  }
  const PlanOutcome judged = judge_plan(facts);
  verdict.outcome = judged.outcome;
  verdict.exit_code = judged.exit_code;
  verdict.reasons = judged.reasons;
  note_unlisted(verdict, session_.book().unlisted());
  return deliver_verdict(session_.run_dir(), console_, verdict, {}, options_.feed);
}

}  // namespace stallproof
