// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/plan_text.h"

#include <array>
#include <cmath>

namespace stallproof {
namespace {

std::string loop_text(const LoopValue& loop) {
  if (loop.name == "operation")
    return "operation=" + name_of(static_cast<FileOperation>(static_cast<int>(loop.value)));
  const std::string name = loop.name + "=";
  if (loop.value < 0) return name + fmt::format("{:.0f}%", std::trunc(-loop.value));
  if (loop.name != "iorate" && loop.name != "fwdrate") return name + size_text(loop.value);
  if (loop.value == kMaxRate) return name + "max";
  if (loop.value == kCurveRate) return name + "curve";
  return name + fmt::format("{:.0f}", std::trunc(loop.value));
}

std::string loops_text(const std::vector<LoopValue>& loops) {
  if (loops.empty()) return "For loops: None";
  std::string text = "For loops:";
  for (const LoopValue& loop : loops) text += " " + loop_text(loop);
  return text;
}

std::string elapsed_text(const PlannedRun& run) {
  if (!run.elapsed) return "elapsed=(none)";
  std::string text = fmt::format("elapsed={:.0f}", *run.elapsed);
  if (run.warmup > 0) text += fmt::format(" warmup={:.0f}", run.warmup);
  return text;
}

std::string rate_text(const PlannedRun& run) {
  const char* const how = run.controlled ? "Controlled" : "Uncontrolled";
  if (run.rate == kMaxRate) return fmt::format("{} MAX", how);
  if (run.rate == kCurveRate) return fmt::format("{} curve", how);
  if (run.bursts) return "Variable";
  return fmt::format("{:.0f}", std::trunc(run.rate));
}

std::string file_rate_text(const PlannedRun& run) {
  if (run.rate == kMaxRate) return "fwdrate=max.";
  if (run.rate == kCurveRate) return "fwdrate=curve.";
  return fmt::format("fwdrate={:.0f};", std::trunc(run.rate));
}

}  // namespace

std::string size_text(double value) {
  constexpr std::array kUnits = {'k', 'm', 'g', 't', 'p'};
  if (value < 1024) return fmt::format("{:.0f}", std::trunc(value));
  std::size_t unit = 0;
  for (value /= 1024; value >= 1024 && unit + 1 < kUnits.size(); value /= 1024) ++unit;
  std::string text = fmt::format("{:.3f}", value);
  if (text.ends_with(".000")) text.resize(text.size() - 4);
  return text + kUnits[unit];
}

std::string run_text(const PlannedRun& run, bool file_systems) {
  if (run.format) return "RD=" + run.name;
  if (file_systems)
    return fmt::format("RD={}; {}; {} {}", run.name, elapsed_text(run), file_rate_text(run),
                       loops_text(run.loops));
  return fmt::format("RD={}; I/O rate: {}; {}; {}", run.name, rate_text(run), elapsed_text(run),
                     loops_text(run.loops));
}

std::string plan_text(const Plan& plan) {
  std::string text;
  double seconds = 0;
  for (const PlannedRun& run : plan.runs) {
    text += "Simulating " + run_text(run, plan.file_systems) + "\n";
    seconds += run.elapsed.value_or(0) + run.warmup;
  }
  return text + fmt::format(
                    "Total amount of Run Definitions: {}; total elapsed time {:.0f} "
                    "seconds\n",
                    plan.runs.size(), seconds);
}

}  // namespace stallproof
