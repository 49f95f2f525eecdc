// SPDX-License-Identifier: Apache-2.0
// What happens in a run, as plain data, for those who only listen (metrics, console, notices,
// report). Times are milliseconds since `started` on the monotonic clock, as in verdict.json.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stallproof {

struct RunNews {
  std::string run;      // its id
  std::string dir;      // run directory, absolute
  std::string command;  // repro, run, watch or vdbench
  std::string target;   // path or scenario, for people
  std::string node;
  std::string kernel;
  std::map<std::string, std::string> labels;  // "build" is the one that groups
  // What each load works on: a mount, a device, a scenario; "" is for those that are not named.
  std::map<std::string, std::string> targets;
  std::uint64_t started_ns = 0;       // monotonic
  std::optional<double> duration_ms;  // as planned; absent: until something ends it
};

// One incident as it is known at that moment; told again with more, `id` stays.
struct StallNews {
  std::string id;           // "001"
  std::string stall_class;  // "unknown" while there is no explanation
  std::string signature;
  std::string summary;             // empty while there is no explanation
  std::vector<std::string> loads;  // that stand
  std::vector<std::string> sources;
  double onset_ms = 0;
  double detected_ms = 0;
  std::optional<double> resolved_ms;
  bool counted_only = false;  // like many before: of its evidence nothing is kept
  bool in_circle = false;     // the explanation shows a circle of waits
  std::string path;           // of the incident, below the run directory
  // A mark allows it to last so long from its onset: what is told of it before is no alarm.
  std::optional<double> allowed_ms;
};

struct DropoutNews {
  std::string workload;
  double start_ms = 0;
  std::optional<double> end_ms;  // absent: it has just begun
  double ratio = 0;              // of the usual throughput
  bool allowed = false;          // begun in a window in which a mark allows stalls
};

// Somebody does something to the run on purpose.
struct MarkNews {
  std::string text;
  double start_ms = 0;
  double end_ms = 0;
  std::optional<double> allow_ms;  // a stall that begins in it may last so long
};

// How the controller itself fares, as far as nobody else knows; all there is by now.
struct HealthNews {
  std::map<std::string, std::uint64_t> probe_timeouts;  // reads of /proc, by the name of the file
  std::uint64_t left_behind = 0;                        // things that could not be undone
  std::uint64_t unkillable = 0;                         // own processes that could not be ended
  bool operator==(const HealthNews&) const = default;
};

// One thing that was taken of an incident by --on-stall, or could not be.
struct CaptureNews {
  std::string incident;
  std::string kind;  // "sysrq", "panic", "sources"
  bool taken = false;
};

}  // namespace stallproof
