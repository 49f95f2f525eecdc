// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history_runs.h"

#include <fmt/format.h>

#include <array>

#include "harness/base/one_line.h"

namespace stallproof {
namespace {

constexpr const char* kColumns =
    "SELECT run.id, run.run, run.node, run.directory, run.state, run.reason, run.scenario, "
    "run.build, run.kernel, run.tool_version, run.target, run.fstype, run.started_ms, "
    "run.offset_min, run.duration_s, run.exit_code, run.purpose, run.stalls, run.failing, "
    "run.dropouts, run.dropout_s FROM run ";

Instant instant_of(const Statement& row, int column) {
  return {.unix_ms = row.whole(column), .offset_min = static_cast<int>(row.whole(column + 1))};
}

// Into one that may hold another run: its texts keep their room.
void read_run(const Statement& row, HistoryRun& run) {
  run.id = row.whole(0);
  const std::array texts{&run.run,          &run.node,     &run.directory, &run.state,
                         &run.reason,       &run.scenario, &run.build,     &run.kernel,
                         &run.tool_version, &run.target,   &run.fstype};
  int column = 1;
  for (std::string* const text : texts) *text = row.view(column++);
  run.started = instant_of(row, 12);
  run.duration_s = row.real(14);
  run.exit_code = row.maybe_whole(15);
  run.on_purpose = row.whole(16) != 0;
  run.stalls = row.whole(17);
  run.failing = row.whole(18);
  run.dropouts = row.whole(19);
  run.dropout_s = row.real(20);
}

HistoryRun run_of(const Statement& row) {
  HistoryRun run;
  read_run(row, run);
  return run;
}

void take_stalls(Database& database, HistoryRunDetails& details) {
  Statement rows = database.prepare(
      "SELECT incident, class, signature, onset_ms, duration_ms, failing FROM stall "
      "WHERE run_id = ? ORDER BY onset_ms, incident");
  rows.bind(details.run.id);
  while (rows.step())
    details.stalls.push_back(
        {.incident = rows.text(0),
         .stall_class = rows.text(1),
         .signature = rows.text(2),
         .onset = {.unix_ms = rows.whole(3), .offset_min = details.run.started.offset_min},
         .lasted_ms = rows.maybe_real(4),
         .failing = rows.whole(5) != 0});
}

void take_loads(Database& database, HistoryRunDetails& details) {
  Statement rows = database.prepare(
      "SELECT name, ops, bytes, errors, ops_per_s, bytes_per_s, p50_us, p99_us, max_us FROM load "
      "WHERE run_id = ? ORDER BY name");
  rows.bind(details.run.id);
  while (rows.step())
    details.loads.push_back({.name = rows.text(0),
                             .ops = rows.whole(1),
                             .bytes = rows.whole(2),
                             .errors = rows.whole(3),
                             .ops_per_s = rows.maybe_real(4),
                             .bytes_per_s = rows.maybe_real(5),
                             .p50_us = rows.maybe_real(6),
                             .p99_us = rows.maybe_real(7),
                             .max_us = rows.maybe_real(8)});
}

// All runs that the word may mean; more than two are not needed to see that it is not one.
std::vector<HistoryRun> meant_by(Database& database, const std::string& word) {
  std::vector<HistoryRun> found;
  const auto take = [&](const char* condition, const std::string& first,
                        const std::string& second) {
    if (!found.empty()) return;
    Statement rows = database.prepare(std::string(kColumns) + condition);
    rows.bind(std::string_view(first)).bind(std::string_view(second));
    while (rows.step()) found.push_back(run_of(rows));
  };
  if (word == "latest") {
    take("WHERE ? = ? ORDER BY run.started_ms DESC, run.id DESC LIMIT 1", "", "");
    return found;
  }
  take("WHERE run.run = ? OR run.directory = ? LIMIT 2", word, real_path(word));
  // A range, not LIKE: it uses the index and takes every letter for itself.
  take("WHERE run.run >= ? AND run.run < ? LIMIT 2", word, word + "\xf4\x8f\xbf\xbf");
  return found;
}

}  // namespace

Result<std::int64_t> count_runs(History& history, const HistoryFilter& filter) {
  const FilterWords words(filter);
  Statement count = history.database().prepare("SELECT count(*) FROM run " + words.where());
  words.bind_to(count);
  const std::int64_t runs = count.step() ? count.whole(0) : 0;
  if (auto failed = history.failure(); !failed) return Failure(failed.error());
  return runs;
}

Result<> each_run(History& history, const HistoryFilter& filter, std::int64_t limit,
                  const std::function<void(const HistoryRun&)>& take) {
  const FilterWords words(filter);
  Statement rows = history.database().prepare(kColumns + words.where() +
                                              " ORDER BY run.started_ms DESC, run.id DESC LIMIT ?");
  words.bind_to(rows);
  rows.bind(limit == 0 ? std::int64_t{-1} : limit);
  HistoryRun run;
  while (rows.step()) {
    read_run(rows, run);
    take(run);
  }
  return history.failure();
}

Result<HistoryRuns> find_runs(History& history, const HistoryFilter& filter, std::int64_t limit) {
  HistoryRuns found;
  const auto all = count_runs(history, filter);
  if (!all) return Failure(all.error());
  found.all = *all;
  const auto read = each_run(history, filter, limit,
                             [&found](const HistoryRun& run) { found.runs.push_back(run); });
  if (!read) return Failure(read.error());
  return found;
}

Result<HistoryRunDetails> find_run(History& history, const std::string& word) {
  Database& database = history.database();
  const auto runs = meant_by(database, word);
  if (auto failed = history.failure(); !failed) return Failure(failed.error());
  if (runs.empty() && word == "latest") return fail("history: no run yet");
  if (runs.empty())
    return fail(
        fmt::format("history: {}: no such run (see `stallproof history list`)", on_one_line(word)));
  if (runs.size() > 1)
    return fail(
        fmt::format("history: {}: more than one run is meant: {}, {}, … (give more of the "
                    "name, or its directory)",
                    on_one_line(word), runs[0].run, runs[1].run));
  HistoryRunDetails details;
  details.run = runs.front();
  Statement labels = database.prepare("SELECT key, value FROM label WHERE run_id = ? ORDER BY key");
  labels.bind(details.run.id);
  while (labels.step()) details.labels[labels.text(0)] = labels.text(1);
  take_stalls(database, details);
  take_loads(database, details);
  if (auto failed = history.failure(); !failed) return Failure(failed.error());
  return details;
}

}  // namespace stallproof
