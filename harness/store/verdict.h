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

namespace stallproof {

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
  std::uint64_t gaps = 0;  // the watchdog was not run
  double gaps_ms = 0;      // all of them together
  std::uint64_t kmsg_lost = 0;
  std::uint64_t probe_timeouts = 0;
  std::uint64_t events_dropped = 0;
  std::vector<std::string> blind_spots;
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
  double stall_after_ms = 0;
  double fail_after_ms = 0;
  double dropout_below = 0;
  std::optional<std::uint64_t> max_dropouts;  // absent: dropouts are shown and judge nothing
  std::optional<double> max_dropout_seconds;
  std::map<std::string, ThresholdsEntry> load_thresholds;  // of loads that have their own
  std::string started;
  std::string ended;
  double duration_s = 0;
  std::vector<StallEntry> stalls;
  std::vector<DropoutEntry> dropouts;
  std::vector<SuspectedEntry> suspected;
  std::optional<HazardEntry> hazard;
  ObserverEntry observer;
  std::optional<ServiceEntry> service;  // of our own FUSE target
  TimingEntry timings;
  CapturesEntry captures;
  std::vector<std::string> left_behind;
  std::optional<int> command_exit;  // as a shell gives it; absent without a command that ended
  std::map<std::string, WorkloadEntry> workloads;
};

std::string outcome_name(Outcome outcome);
// One JSON document, indented, ending in a newline.
std::string verdict_json(const Verdict& verdict);

}  // namespace stallproof
