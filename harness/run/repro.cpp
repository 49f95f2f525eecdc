// SPDX-License-Identifier: Apache-2.0
#include "harness/run/repro.h"

#include <fmt/format.h>
#include <unistd.h>

#include "harness/probe/result_place.h"
#include "harness/run/board_figures.h"
#include "harness/run/crash_on_stall.h"
#include "harness/run/incident_news.h"
#include "harness/run/plan/plan.h"
#include "harness/run/repro_run.h"
#include "harness/run/repro_verdict.h"
#include "harness/run/scenario_needs.h"
#include "harness/run/verdict_delivery.h"
#include "harness/scenario/catalogue.h"
#include "workloads/catalogue.h"
#include "workloads/ffs/ffs_mount.h"

namespace stallproof {
namespace {

// What must be there before anything is changed on the machine. Lacking means is exit 77.
Result<> check_means(const std::string& scenario, const LabPlan& plan) {
  if (::geteuid() != 0)
    return fail(
        "not root: making a stall and looking into the kernel's locks needs it (run with sudo)",
        Origin::lacking);
  if (plan.service && ::access("/dev/fuse", R_OK | W_OK) != 0)
    return fail_errno("/dev/fuse", errno, "modprobe fuse", Origin::lacking);
  return check_needs(scenario, plan.needs);
}

// By the loads' own reading of their parameters, as their worker will: before anything is made.
Result<> check_parameters(const LabPlan& plan) {
  for (const LabPlan::Load& load : plan.loads) {
    const WorkloadInfo* const info = find_workload(load.name);
    if (info == nullptr) continue;
    if (auto good = info->make()->configure(
            {.file = {}, .settings = with_defaults(*info, plan.worker), .threads = load.threads});
        !good)
      return fail(fmt::format("{}: {}", load.name, good.error().what));
  }
  return {};
}

bool is_ffs(const MountEntry& mount) { return mount.fstype == kFfsFstype; }

std::string plan_toml(const ReproOptions& options, const LabPlan& plan) {
  std::string text = fmt::format("scenario = \"{}\"\nvariant = \"{}\"\n", options.scenario,
                                 options.request.variant);
  if (!options.request.fix.empty()) text += fmt::format("fix = \"{}\"\n", options.request.fix);
  text += fmt::format("\n[expected]\nclass = \"{}\"\nroot = \"{}\"\n", plan.expected_class,
                      plan.expected_root);
  text += "\n[params]\n";
  for (const auto& [key, value] : plan.params.all())
    text += fmt::format("{} = \"{}\"\n", key, value);
  return text;
}

}  // namespace

Result<int> run_repro(const ReproOptions& given, Console& console) {
  ReproOptions options = given;
  const auto scenario = find_scenario(options.scenario);
  if (!scenario) return Failure(scenario.error());
  if (options.request.variant.empty() && !(*scenario)->variants.empty())
    options.request.variant = std::string((*scenario)->variants.front().name);
  const auto plan = plan_scenario(**scenario, options.request);
  if (!plan) return Failure(plan.error());
  if (auto good = check_parameters(*plan); !good) return Failure(good.error());
  auto lens = LiveLens::open(options.fs_files, options.thresholds.without);
  if (!lens) return Failure(lens.error());
  if (auto means = check_means(options.scenario, *plan); !means) return Failure(means.error());
  if (auto allowed = check_policy(options.policy, options.out); !allowed)
    return Failure(allowed.error());
  if (const std::string danger = panic_danger(); !danger.empty()) console.problem(danger);
  SignalWatch signals;
  for (const std::string& line : undo_leftovers()) console.problem(line);

  if (auto allowed = refuse_place_on_target(options.out, is_ffs); !allowed)
    return Failure(allowed.error());
  auto run = RunDir::create({.out = options.out,
                             .name_stem = options.scenario,
                             .labels = options.labels,
                             .thresholds = run_thresholds(options.thresholds)});
  if (!run) return Failure(run.error());
  run->echo_events([&console](std::string_view event) { console.json_line(event); });
  run->save("env.json", environment_json());
  run->save("plan.toml", plan_toml(options, *plan));
  console.block(
      fmt::format("{} (variant {}{}), results in {}\n", options.scenario, options.request.variant,
                  options.request.fix.empty() ? "" : ", fix " + options.request.fix, run->path()));
  auto captures = IncidentCaptures::create(options.policy, *run, console, options.feed);
  if (!captures) return Failure(captures.error());
  auto lab = Lab::start(*plan, options.thresholds, run->id());
  if (!lab) return Failure(lab.error());
  ReproRun repro(options, *plan, std::move(*run), std::move(*lens), std::move(*lab),
                 std::move(*captures), std::move(signals), console);
  // Whatever goes wrong in our own code, the machine is put in order before it is reported.
  try {
    repro.drive();
    return repro.conclude();
  } catch (const std::exception& error) {
    repro.abandon();
    return fail(fmt::format("repro: {}", error.what()), Origin::infra);
  }
}

void ReproRun::tell_begin() const {
  if (options_.feed == nullptr) return;
  const RunNews news{.command = "repro",
                     .target = options_.scenario,
                     .labels = options_.labels,
                     .targets = {{"", options_.scenario}}};
  options_.feed->tell(&RunListener::on_begin, run_news(news, run_, state_.clock),
                      make_figure_source(lab_.board().fd(), lab_.evidence().fd()));
}

void ReproRun::tell_blind(std::string_view why) const {
  if (options_.feed != nullptr) options_.feed->tell(&RunListener::on_blind, why);
}

// Before the end: healing answers what is in flight with errors.
void ReproRun::take_load_failures() {
  for (const LoadEntry& load : lab_.board().loads()) {
    // A fault answered with an error (SIGBUS) is what the read-error variant is about, no failure.
    std::uint64_t errors = 0, mismatches = 0, sigbus = 0;
    for (const BoardSlot& slot : lab_.board().slots_of(load)) {
      errors += slot.errors.load();
      mismatches += slot.mismatches.load();
      sigbus += slot.sigbus.load();
    }
    if (errors > sigbus)
      state_.load_failures.push_back(
          fmt::format("{} operations of {} failed", errors - sigbus, load.name));
    if (mismatches > 0)
      state_.load_failures.push_back(
          fmt::format("{} operations of {} read wrong data", mismatches, load.name));
  }
}

int ReproRun::conclude() {
  state_.figures.probe_timeouts = lens_.probe_timeouts();
  health_.tell(options_.feed, lens_,
               state_.ending ? state_.ending->left_behind : std::vector<std::string>{});
  const std::string id = run_.id();
  const Verdict verdict = make_verdict({.options = options_,
                                        .plan = plan_,
                                        .state = state_,
                                        .book = book_,
                                        .sampler = sampler_,
                                        .lab = lab_,
                                        .captures = captures_.entry(),
                                        .run_id = id,
                                        .unsaved = run_.first_problem()});
  std::vector<std::string> notes;
  if (verdict.hazard && verdict.hazard->per_second_min)
    notes.push_back(fmt::format("hazard entered {} times, at least {} in every second",
                                verdict.hazard->entered, *verdict.hazard->per_second_min));
  return deliver_verdict(run_, console_, verdict, notes, options_.feed);
}

}  // namespace stallproof
