// SPDX-License-Identifier: Apache-2.0
// The story of a saved run as text: pure, from the contents of its files. What is missing or cut is
// left out and said; nothing of this machine (zone, clock) is looked at, so a run reads the same
// everywhere.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct SavedRun {
  std::string id;                         // run.id
  std::optional<nlohmann::json> verdict;  // absent: the run did not end
  std::vector<nlohmann::json> events;     // whole lines of events.jsonl
  std::string seconds_csv, vdbench_csv;   // empty when absent
  std::vector<std::string> problems;      // "events.jsonl line 7: cut or no JSON"
};

// Lines of JSON; what is none is a problem with its line.
std::vector<nlohmann::json> parse_events(std::string_view text, std::vector<std::string>& problems);

// The wall clock of a run, as it was written down where it ran.
struct WallClock {
  long long local_ms = 0;  // since 1970, in the run's own zone
  std::string zone;        // "+01:00"; empty when only the run's name tells the time
  [[nodiscard]] std::string at(double run_ms) const;  // "20:01:05.600"
  [[nodiscard]] std::string date() const;             // "2026-11-23"
};
// From verdict.started, else from the run's name; nullopt when neither tells.
std::optional<WallClock> clock_of(const SavedRun& run);

struct TimelineRow {
  double run_ms = 0;
  std::string text;
};
std::vector<TimelineRow> timeline_of(const SavedRun& run);
// Local time and run time side by side.
std::string render_timeline(const SavedRun& run);
// Completions per second as bars, with the stalls marked; empty without a series.
std::string render_throughput(const SavedRun& run);

// "03:12", "03:12:30" or RFC 3339 → the incident that stood then, else the nearest one, which
// `note` says. An Error when the word is no time or there is no incident.
struct FoundIncident {
  std::string id;
  std::string note;
};
Result<FoundIncident> incident_at(const SavedRun& run, std::string_view when);

}  // namespace stallproof
