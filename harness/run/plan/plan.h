// SPDX-License-Identifier: Apache-2.0
// A plan: what is to be run, where and for how long, complete: every default is written out. Plain
// values; durations in nanoseconds, sizes in bytes, times since the begin of the run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "harness/base/settings.h"
#include "harness/detect/load_thresholds.h"
#include "harness/store/verdict.h"

namespace stallproof {

struct PlanLimits {
  Thresholds thresholds{.stall_after = kSecond, .fail_after = 30 * kSecond, .dropout_below = 0.10};
  // More than this many dropouts, or seconds of one load's dropouts together, fail the run.
  std::optional<std::uint64_t> max_dropouts;
  std::optional<double> max_dropout_seconds;
  // A load that was to run and completed fewer proves nothing; without it, one that completed none.
  std::optional<std::uint64_t> min_ops;
};

struct PlanLoad {
  std::string name, workload;
  unsigned threads = 1;
  std::string path;  // relative: in the run's own directory on the target
  std::string thread_names;
  std::vector<unsigned> cpus;  // empty: those of the process
  Nanos start = 0;             // after the start of its process
  Nanos duration = 0;          // 0: as long as its process
  Settings parameters;
  std::optional<PlanLimits> limits;  // its own, complete: its target is not as that of the others
};

struct PlanProcess {
  std::string name;
  std::vector<unsigned> cpus;  // empty: all
  Nanos start = 0;
  Nanos duration = 0;  // 0: until the run ends
  std::vector<PlanLoad> loads;
};

// Phases follow each other, and begin again after the last one.
struct PlanPhase {
  std::string name;
  Nanos duration = 0;
  std::vector<std::string> loads;  // those that run
};

// A known stall made on purpose, to prove that one would be seen; when it is made.
struct PlanCanary {
  std::optional<bool> enabled;  // absent: in runs of at least kCanaryFrom
  bool before = true;           // the load
  bool beside = false;
  bool after = true;
};
inline constexpr Nanos kCanaryFrom = 60 * kSecond;

// The same plan on several nodes at once: what they have of the files under test in common.
enum class NodeShare { own_files, ranges, shared_files, same_file };
struct PlanCoordinate {
  NodeShare share = NodeShare::own_files;
  std::string meet;            // a directory that all nodes see; empty: the environment says it
  Nanos wait = 600 * kSecond;  // for each other
};

struct LoadPlan {
  std::string name;
  Nanos duration = 60 * kSecond;
  Nanos warmup = 0;  // at the begin; dropouts and rates of it do not count
  std::uint64_t seed = 0;
  bool seed_drawn = false;  // nobody said it
  std::string target;       // directory; may be empty when no load has a relative path
  std::uint64_t size = 0;   // most bytes of files on the target; 0: not bounded
  PlanLimits limits;
  PlanCanary canary;
  std::optional<PlanCoordinate> coordinate;
  std::vector<std::string> notify;  // the command that is given notices; empty: none
  std::vector<PlanProcess> processes;
  std::vector<PlanPhase> phases;
};

// Errors name source:line:column and the word. `target`: replaces the one in the plan when given.
Result<LoadPlan> parse_plan(const std::string& text, const std::string& source,
                            const std::string& target = {});
Result<LoadPlan> read_plan_file(const std::string& path, const std::string& target = {});

// The complete plan as TOML; parse_plan() of it gives the same plan.
std::string plan_toml(const LoadPlan& plan);

// Bytes of the files that its loads say they make (parameter file-size), each file once.
std::uint64_t planned_file_bytes(const LoadPlan& plan);
// Loads count as on the board: process by process, in the order of the plan.
std::vector<OwnThresholds> own_thresholds(const LoadPlan& plan);
// Of a stall of these loads, by bits: it fails as soon as it is one of any of them.
Nanos fail_after_of(const LoadPlan& plan, std::uint32_t loads);
Nanos longest_fail_after(const LoadPlan& plan);
// Of loads that have their own.
std::map<std::string, PlanLimits> own_limits(const LoadPlan& plan);
// As a run directory says them.
RunThresholds run_thresholds(const LoadPlan& plan);
RunThresholds run_thresholds(const Thresholds& thresholds);
bool wants_canary(const LoadPlan& plan);
// Some load has its file in the run's own directory on the target.
bool needs_target(const LoadPlan& plan);

}  // namespace stallproof
