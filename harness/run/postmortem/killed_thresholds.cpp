// SPDX-License-Identifier: Apache-2.0
#include "harness/run/postmortem/killed_thresholds.h"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>

#include "harness/base/file.h"
#include "harness/base/json_fields.h"
#include "harness/base/units.h"
#include "harness/run/plan/plan.h"
#include "harness/store/verdict_read.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostOfFile = 4U << 20U;

std::string text_of_file(const std::string& path) {
  auto text = read_file(path, kMostOfFile);
  return text ? std::move(*text) : std::string();
}

std::optional<RunThresholds> by_manifest(const std::string& text) {
  const auto document = parse_json_object(text, "manifest.json");
  if (!document) return {};
  std::optional<RunThresholds> found;
  std::string problem;
  JsonFields(*document, "", problem).object("thresholds", [&found](const JsonFields& in) {
    found = read_thresholds(in);
  });
  return problem.empty() ? found : std::nullopt;
}

std::optional<RunThresholds> by_plan_of_watch(const std::string& text) {
  try {
    const toml::table plan = toml::parse(text);
    const auto fail_after_ms = plan["watch"]["fail_after_ms"].value<double>();
    if (!fail_after_ms) return {};
    RunThresholds found = run_thresholds(Thresholds{.fail_after = nanos_from_ms(*fail_after_ms)});
    found.usual.stall_after_ms =
        plan["watch"]["stall_after_ms"].value_or(found.usual.stall_after_ms);
    return found;
  } catch (const toml::parse_error&) {
    return {};
  }
}

std::optional<RunThresholds> by_plan(const std::string& text) {
  if (const auto plan = parse_plan(text, "plan.toml")) return run_thresholds(*plan);
  return by_plan_of_watch(text);
}

RunThresholds by_default(const std::string& scenario) {
  if (!scenario.empty()) return run_thresholds(Thresholds{});
  return run_thresholds(PlanLimits{}.thresholds);
}

}  // namespace

RunThresholds thresholds_of_killed(const std::string& directory, const std::string& scenario) {
  if (auto told = by_manifest(text_of_file(directory + "/manifest.json"))) return *told;
  if (auto told = by_plan(text_of_file(directory + "/plan.toml"))) return *told;
  return by_default(scenario);
}

Nanos fail_after_of(const RunThresholds& thresholds, const std::vector<std::string>& loads) {
  const auto of = [&thresholds](const std::string& load) {
    const auto own = thresholds.loads.find(load);
    return own == thresholds.loads.end() ? thresholds.usual.fail_after_ms
                                         : own->second.fail_after_ms;
  };
  double fail_after_ms = thresholds.usual.fail_after_ms;
  if (loads.empty())
    for (const auto& [name, own] : thresholds.loads)
      fail_after_ms = std::max(fail_after_ms, own.fail_after_ms);
  else
    fail_after_ms = of(*std::min_element(
        loads.begin(), loads.end(),
        [&of](const std::string& a, const std::string& b) { return of(a) < of(b); }));
  return nanos_from_ms(fail_after_ms);
}

}  // namespace stallproof
