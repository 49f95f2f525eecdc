// SPDX-License-Identifier: Apache-2.0
// Single runs out of the history. Each asks History::failure() for its caller.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/store/history.h"
#include "harness/store/history_filter.h"

namespace stallproof {

struct HistoryRun {
  std::int64_t id = 0;  // in the database
  std::string run, node, directory, state, reason, scenario, build, kernel, tool_version, target,
      fstype;
  Instant started;
  double duration_s = 0;
  std::optional<std::int64_t> exit_code;
  bool on_purpose = false;  // it made the stall itself
  std::int64_t stalls = 0, failing = 0, dropouts = 0;
  double dropout_s = 0;
};

struct HistoryStall {
  std::string incident, stall_class, signature;
  Instant onset;
  std::optional<double> lasted_ms;  // absent: it did not end
  bool failing = false;
};

struct HistoryLoad {
  std::string name;
  std::int64_t ops = 0, bytes = 0, errors = 0;
  std::optional<double> ops_per_s, bytes_per_s, p50_us, p99_us, max_us;
};

struct HistoryRuns {
  std::vector<HistoryRun> runs;  // newest first
  std::int64_t all = 0;          // how many the filter lets through
};
// How many runs the filter lets through.
Result<std::int64_t> count_runs(History& history, const HistoryFilter& filter);
// `take` is called with each, newest first, at most `limit` (0: all). The next one overwrites it.
Result<> each_run(History& history, const HistoryFilter& filter, std::int64_t limit,
                  const std::function<void(const HistoryRun& run)>& take);
// `limit` 0: all.
Result<HistoryRuns> find_runs(History& history, const HistoryFilter& filter, std::int64_t limit);

struct HistoryRunDetails {
  HistoryRun run;
  std::map<std::string, std::string> labels;
  std::vector<HistoryStall> stalls;
  std::vector<HistoryLoad> loads;
};
// `word`: "latest", a directory, a run's name or the beginning of one that no other has.
Result<HistoryRunDetails> find_run(History& history, const std::string& word);

}  // namespace stallproof
