// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "harness/run/plan/plan.h"
#include "harness/run/plan/plan_coordinate.h"
#include "harness/run/plan/toml_words.h"

namespace stallproof {
namespace {

std::string limits_text(const PlanLimits& limits, const char* heading, const char* indent) {
  const Thresholds& thresholds = limits.thresholds;
  std::string text = fmt::format("\n{}{}\n", indent, heading);
  text += fmt::format("{}stall_after = {}\n", indent, toml_duration(thresholds.stall_after));
  text += fmt::format("{}fail_after = {}\n", indent, toml_duration(thresholds.fail_after));
  text += fmt::format("{}dropout_below = {}\n", indent, thresholds.dropout_below);
  if (limits.max_dropouts)
    text += fmt::format("{}max_dropouts = {}\n", indent, *limits.max_dropouts);
  if (limits.max_dropout_seconds)
    text += fmt::format("{}max_dropout_seconds = {}\n", indent, *limits.max_dropout_seconds);
  if (limits.min_ops) text += fmt::format("{}min_ops = {}\n", indent, *limits.min_ops);
  return text;
}

std::string canary_text(const LoadPlan& plan) {
  std::vector<std::string> when;
  if (plan.canary.before) when.emplace_back("before");
  if (plan.canary.beside) when.emplace_back("beside");
  if (plan.canary.after) when.emplace_back("after");
  return fmt::format("\n[canary]\nenabled = {}\nwhen = {}\n", wants_canary(plan), toml_names(when));
}

std::string head_text(const LoadPlan& plan) {
  std::string text = "[plan]\n";
  text += fmt::format("name = {}\n", toml_quoted(plan.name));
  text += fmt::format("duration = {}\n", toml_duration(plan.duration));
  text += fmt::format("warmup = {}\n", toml_duration(plan.warmup));
  text += fmt::format("seed = {}\n", plan.seed);
  if (!plan.target.empty()) text += fmt::format("target = {}\n", toml_quoted(plan.target));
  text += fmt::format("size = {}\n", toml_size(plan.size));
  text += limits_text(plan.limits, "[thresholds]", "") + canary_text(plan);
  if (plan.coordinate) text += coordinate_text(*plan.coordinate);
  if (!plan.notify.empty())
    text += fmt::format("\n[notify]\ncommand = {}\n", toml_names(plan.notify));
  return text;
}

std::string times_text(const std::vector<unsigned>& cpus, Nanos start, Nanos duration,
                       const std::string& indent) {
  std::string text;
  if (!cpus.empty()) text += fmt::format("{}cpus = [{}]\n", indent, fmt::join(cpus, ", "));
  text += fmt::format("{}start = {}\n", indent, toml_duration(start));
  if (duration != 0) text += fmt::format("{}duration = {}\n", indent, toml_duration(duration));
  return text;
}

std::string load_text(const PlanLoad& load) {
  std::string text = "\n  [[process.load]]\n";
  text += fmt::format("  name = {}\n", toml_quoted(load.name));
  text += fmt::format("  workload = {}\n", toml_quoted(load.workload));
  text += fmt::format("  threads = {}\n", load.threads);
  text += fmt::format("  path = {}\n", toml_quoted(load.path));
  text += fmt::format("  thread_names = {}\n", toml_quoted(load.thread_names));
  text += times_text(load.cpus, load.start, load.duration, "  ");
  for (const auto& [key, value] : load.parameters.all())
    if (!value.empty()) text += fmt::format("  {} = {}\n", key, toml_value(value));
  if (load.limits) text += limits_text(*load.limits, "[process.load.thresholds]", "  ");
  return text;
}

}  // namespace

std::string plan_toml(const LoadPlan& plan) {
  std::string text = head_text(plan);
  for (const PlanProcess& process : plan.processes) {
    text += fmt::format("\n[[process]]\nname = {}\n", toml_quoted(process.name));
    text += times_text(process.cpus, process.start, process.duration, "");
    for (const PlanLoad& load : process.loads) text += load_text(load);
  }
  for (const PlanPhase& phase : plan.phases)
    text +=
        fmt::format("\n[[phase]]\nname = {}\nduration = {}\nloads = {}\n", toml_quoted(phase.name),
                    toml_duration(phase.duration), toml_names(phase.loads));
  return text;
}

std::uint64_t planned_file_bytes(const LoadPlan& plan) {
  std::map<std::string, std::uint64_t> files;
  for (const PlanProcess& process : plan.processes)
    for (const PlanLoad& load : process.loads)
      for (const auto& [name, value] : load.parameters.all()) {
        const auto size = load.parameters.size(name, 0);
        if (name.ends_with("file-size") && size)
          files[load.path] = std::max(files[load.path], *size);
      }
  std::uint64_t bytes = 0;
  for (const auto& [path, size] : files) bytes += size;
  return bytes;
}

bool needs_target(const LoadPlan& plan) {
  for (const PlanProcess& process : plan.processes)
    for (const PlanLoad& load : process.loads)
      if (!load.path.starts_with('/')) return true;
  return false;
}

}  // namespace stallproof
