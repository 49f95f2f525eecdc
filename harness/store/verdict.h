// SPDX-License-Identifier: Apache-2.0
// The verdict of a run as plain data: what verdict.json holds (DESIGN section 4). Every *_ms counts
// from `started` on the monotonic clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/store/fleet.h"

namespace stallproof {

// Raised when a key changes its meaning; a new key alone does not raise it.
inline constexpr std::uint64_t kVerdictSchema = 1;

enum class Outcome { pass, fail, unknown };

struct StallEntry {
  std::string id;
  std::string stall_class;
  std::string signature;
  std::string onset;  // RFC 3339
  double onset_ms = 0;
  double detected_ms = 0;
  std::optional<double> resolved_ms;
  bool failing = false;
  std::vector<std::string> sources;
  std::string explanation;  // path below the run directory
  bool marked = false;      // it began in the window of a mark
  std::string node;         // of a merge: where it was; empty: the verdict is of one run
  std::string incident;     // of a merge: its id in the run of that node
};

// A window in which somebody did something to the run on purpose.
struct MarkEntry {
  std::string text;
  double start_ms = 0;
  double end_ms = 0;
  std::optional<double> allow_ms;  // a stall that began in it may last so long; absent: as ever
};

struct DropoutEntry {
  std::string workload;
  double start_ms = 0;
  double duration_ms = 0;
  double min_ratio = 0;
};

// No progress of foreign load although nobody was seen blocked. Never judged.
struct SuspectedEntry {
  std::string workload;
  double since_ms = 0;
  std::optional<double> until_ms;
};

struct HazardEntry {
  std::uint64_t entered = 0;
  std::optional<std::uint64_t> per_second_min;  // absent when no whole second was measured
};

struct WorkloadEntry {
  std::uint64_t ops = 0;
  std::uint64_t bytes = 0;
  std::uint64_t errors = 0;
  std::uint64_t mismatches = 0;
  std::uint64_t sigbus = 0;
  std::optional<double> p50_us, p99_us, max_us;  // absent for load that is not ours
  std::optional<std::uint64_t> per_second_min;
};

struct ServiceEntry {
  std::uint64_t page_reads = 0;
  std::uint64_t direct_reads = 0;
  std::optional<std::uint64_t> page_reads_per_second_min;
  std::optional<std::uint64_t> direct_reads_per_second_min;
};

// One stall that was made on purpose, and what was seen of it.
struct CanaryLookEntry {
  std::string stall_class = "unknown";
  std::string signature = "unknown";
  std::optional<double> injected_ms, detected_ms, explained_ms, resolved_ms, healed_ms;
  std::uint64_t captured = 0;  // files, beside the explanation
  std::string evidence;        // path below the run directory; empty: none
  bool passed = false;
  std::string why;  // it did not pass; empty when it did
};

// The proof that a stall would have been seen: alarm, explanation and capture, on a place of its
// own. It does not prove that what stalls in another file system is seen.
struct CanaryEntry {
  bool passed = false;  // whenever it was made
  std::string fault;    // what was injected: the scenario
  std::string place;    // for people: "a FUSE mount of its own"
  std::string problem;  // why it did not pass, or was not made; empty when it passed
  double stall_after_ms = 0;
  std::map<std::string, CanaryLookEntry> looks;  // before, beside, after the load
};

// One of the blind spots of a run that postmortem has closed.
inline constexpr const char* kDidNotReachItsEnd = "the run did not reach its end";

struct ObserverEntry {
  std::string lens;  // "bpf" or "proc"
  double loop_lag_max_ms = 0;
  double tick_max_ms = 0;
  double tick_max_in_stall_ms = 0;
  double cpu_percent = 0;
  std::uint64_t rss_kib = 0;
  std::uint64_t scans = 0;
  double scan_max_ms = 0;
  std::uint64_t scan_failures = 0;
  std::uint64_t gaps = 0;   // the watchdog was not run
  double gaps_ms = 0;       // all of them together
  double suspended_ms = 0;  // the machine, in some of them; no part of gaps_ms
  std::uint64_t kmsg_lost = 0;
  std::uint64_t probe_timeouts = 0;
  std::uint64_t events_dropped = 0;
  std::vector<std::string> blind_spots;
  std::optional<CanaryEntry> canary;  // absent: none was wanted
};

// A kernel module that serves the target, as /sys/module tells it; empty where it does not.
struct ModuleEntry {
  std::string name, version, srcversion;
  bool built_in = false;  // a part of the kernel, without a version of its own
};

// The process that serves a FUSE mount.
struct FsServerEntry {
  int pid = 0;
  std::string comm, exe;
};

// When the steps of one reproduction happened; absent where they did not.
struct TimingEntry {
  std::optional<double> armed_ms, last_op_ms, detected_ms, explained_ms, heal_asked_ms, healed_ms;
};

// What was taken of incidents beside the report, by --on-stall. Never judged.
struct CapturesEntry {
  std::string policy = "report";
  std::uint64_t taken = 0;            // files
  std::vector<std::string> problems;  // "incident 001: sysrq.txt: this kernel has no sysrq"
  std::string crash;                  // why the machine was not crashed; empty: not asked for
};

struct ThresholdsEntry {
  double stall_after_ms = 0;
  double fail_after_ms = 0;
  double dropout_below = 0;
  std::optional<std::uint64_t> max_dropouts;  // absent: dropouts are shown and judge nothing
  std::optional<double> max_dropout_seconds;
  std::optional<std::uint64_t> min_ops;  // a load with fewer has done nothing that counts
};

// By what a run is judged: verdict.json has it when the run has ended, manifest.json from its
// start.
struct RunThresholds {
  ThresholdsEntry usual;
  std::map<std::string, ThresholdsEntry> loads;  // of those that have their own
};

struct Verdict {
  std::string run;
  std::string scenario;
  std::map<std::string, std::string> settings;  // variant, fix, parameters as run
  Outcome outcome = Outcome::unknown;
  int exit_code = 3;
  std::vector<std::string> reasons;
  std::map<std::string, std::string> labels;
  std::string node;
  std::string kernel;
  std::string tool_version;
  std::string target_path;
  std::string target_fstype;
  std::string target_source;
  std::vector<ModuleEntry> target_modules;
  std::optional<FsServerEntry> target_server;
  double stall_after_ms = 0;
  double fail_after_ms = 0;
  double dropout_below = 0;
  std::optional<std::uint64_t> max_dropouts;  // absent: dropouts are shown and judge nothing
  std::optional<double> max_dropout_seconds;
  std::optional<std::uint64_t> min_ops;                    // of each load, unless it has its own
  std::map<std::string, ThresholdsEntry> load_thresholds;  // of loads that have their own
  std::string started;
  std::string ended;
  double duration_s = 0;
  std::vector<StallEntry> stalls;
  std::vector<MarkEntry> marks;
  std::vector<DropoutEntry> dropouts;
  std::uint64_t stalls_not_listed = 0, dropouts_not_listed = 0;  // counted only
  std::vector<SuspectedEntry> suspected;
  std::optional<HazardEntry> hazard;
  ObserverEntry observer;
  std::optional<ServiceEntry> service;  // of our own FUSE target
  TimingEntry timings;
  CapturesEntry captures;
  std::vector<std::string> notes;  // what went wrong and judges nothing: notices not delivered
  std::vector<std::string> left_behind;
  std::optional<int> command_exit;  // as a shell gives it; absent without a command that ended
  std::map<std::string, WorkloadEntry> workloads;
  FleetEntry fleet;  // of a merge
};

std::string outcome_name(Outcome outcome);
// One JSON document, indented, ending in a newline.
std::string verdict_json(const Verdict& verdict);

RunThresholds thresholds_of(const Verdict& verdict);
void set_thresholds(const RunThresholds& thresholds, Verdict& verdict);
// The object of that name in verdict.json and manifest.json, as text.
std::string thresholds_json(const RunThresholds& thresholds);

}  // namespace stallproof
