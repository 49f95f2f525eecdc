// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/plan_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/settings.h"
#include "harness/base/units.h"
#include "harness/cmd/canary_words.h"
#include "harness/cmd/stdout_text.h"
#include "harness/run/plan/run_plan.h"
#include "harness/run/plan/target_plan.h"

namespace stallproof {
namespace {

constexpr const char* kOwnMount = "own-mount";

Result<std::optional<Nanos>> duration_of(const PlanWords& words) {
  if (words.duration.empty()) return std::optional<Nanos>();
  const auto duration = parse_duration(words.duration);
  if (!duration) return fail("--duration: " + duration.error().what);
  if (*duration == 0) return fail("--duration: 0 is no time to run");
  return std::optional(*duration);
}

Result<LoadPlan> own_mount(const PlanWords& words, std::optional<Nanos> duration) {
  const auto target = look_at_target(words.target);
  if (!target) return Failure(target.error());
  TargetPlanWish wish{.name = kOwnMount, .size = std::nullopt};
  if (duration) wish.duration = *duration;
  if (!words.size.empty()) {
    const auto size = parse_size(words.size);
    if (!size) return fail("--size: " + size.error().what);
    wish.size = *size;
  }
  return plan_for_target(*target, wish);
}

Result<LoadPlan> plan_of(const PlanWords& words, std::optional<Nanos> duration) {
  if (words.file.empty()) return own_mount(words, duration);
  if (!words.size.empty())
    return fail(
        fmt::format("--size is for --target without a plan: {} says it itself", words.file));
  auto plan = read_plan_file(words.file, words.target);
  if (plan && duration) {
    if (plan->warmup >= *duration)
      return fail(fmt::format("--duration {}: not longer than the plan's warmup", words.duration));
    plan->duration = *duration;
  }
  return plan;
}

// What was said on the command line counts, else what the plan says.
Result<> set_thresholds(const PlanWords& words, Thresholds& thresholds) {
  ThresholdWords spoken = words.thresholds;
  if (!words.stall_after_given) spoken.stall_after = fmt::format("{}ns", thresholds.stall_after);
  if (!words.dropout_below_given)
    spoken.dropout_below = fmt::format("{}", thresholds.dropout_below);
  const auto read = read_thresholds(spoken, thresholds.fail_after);
  if (!read) return Failure(read.error());
  thresholds = *read;
  return {};
}

}  // namespace

Result<int> run_plan_words(const PlanWords& words) {
  const auto duration = duration_of(words);
  if (!duration) return Failure(duration.error());
  auto plan = plan_of(words, *duration);
  if (!plan) return Failure(plan.error());
  if (auto set = set_thresholds(words, plan->limits.thresholds); !set) return Failure(set.error());
  const auto canary = read_canary_wish(words.canary);
  if (!canary) return Failure(canary.error());
  const auto policy = read_policy(words.policy);
  if (!policy) return Failure(policy.error());
  const auto labels = Settings::from_words(words.labels);
  if (!labels) return fail("--label: " + labels.error().what);
  if (words.dry_run) {
    if (auto written = write_stdout(plan_toml(*plan)); !written) return Failure(written.error());
    return 0;
  }
  if (words.outlets.notify.command) {
    const auto command = split_command(*words.outlets.notify.command);
    if (!command) return Failure(command.error());
    plan->notify = *command;  // what is saved is what is run
  }
  Console console({.quiet = words.quiet, .json = words.json, .json_lines = words.json_lines});
  const ListenerOptions listeners{.notify = plan->notify,
                                  .json_lines = words.json_lines,
                                  .stall_after = plan->limits.thresholds.stall_after};
  LoadPlanOptions options{.plan = *plan,
                          .out = words.out,
                          .until_stall = words.until_stall,
                          .endless = words.until_stall && !*duration,
                          .canary = *canary,
                          .policy = *policy,
                          .labels = labels->all(),
                          .fs_files = words.fs_files};
  return with_outlets(words.outlets, console, listeners, [&](const RunFeed& feed) {
    options.feed = &feed;
    return run_plan(options, console);
  });
}

}  // namespace stallproof
