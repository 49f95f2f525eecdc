// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history_signatures.h"

#include <algorithm>
#include <map>
#include <set>

namespace stallproof {
namespace {

// In the order of the stalls' onsets.
struct Gathered {
  SignatureHistory history;
  std::set<std::int64_t> runs, on_purpose;
};

void take(const Statement& row, Gathered& into) {
  SignatureHistory& history = into.history;
  if (row.whole(2) != 0) {
    into.on_purpose.insert(row.whole(1));
    return;
  }
  ++history.stalls;
  if (row.whole(3) != 0) ++history.failing;
  if (row.text(8) == "pass" || row.text(8) == "fail") ++history.counted;
  into.runs.insert(row.whole(1));
  const std::string build = row.text(4);
  if (std::find(history.builds.begin(), history.builds.end(), build) == history.builds.end())
    history.builds.push_back(build);
  history.last =
      Sighting{.run = row.text(5),
               .build = build,
               .scenario = "",
               .at = {.unix_ms = row.whole(6), .offset_min = static_cast<int>(row.whole(7))}};
  if (!history.first) history.first = history.last;
}

double watched_hours(Database& database, HistoryFilter filter) {
  filter.observed_only = true;
  filter.signature.clear();
  const FilterWords words(filter);
  Statement sum =
      database.prepare("SELECT coalesce(sum(run.duration_s), 0) FROM run " + words.where());
  words.bind_to(sum);
  return sum.step() ? sum.real(0) / 3600 : 0;
}

}  // namespace

bool names_a_stall(const std::string& signature) {
  return !signature.empty() && signature != "unknown" && signature != "none" &&
         !signature.starts_with("unknown:");
}

Result<std::vector<SignatureHistory>> signatures_of(History& history, const HistoryFilter& filter) {
  Database& database = history.database();
  const FilterWords words(filter);
  Statement rows = database.prepare(
      "SELECT stall.signature, run.id, run.purpose, stall.failing, run.build, run.run, "
      "stall.onset_ms, run.offset_min, run.state FROM stall JOIN run ON run.id = stall.run_id " +
      words.where() + " ORDER BY stall.onset_ms");
  words.bind_to(rows);
  std::map<std::string, Gathered> gathered;
  while (rows.step()) {
    const std::string signature = rows.text(0);
    // A run that had the one asked for may have had others.
    if (!filter.signature.empty() && signature != filter.signature) continue;
    take(rows, gathered[signature]);
  }
  const double hours = watched_hours(database, filter);
  if (auto failed = history.failure(); !failed) return Failure(failed.error());
  std::vector<SignatureHistory> found;
  for (auto& [signature, each] : gathered) {
    each.history.signature = signature;
    each.history.runs = static_cast<std::int64_t>(each.runs.size());
    each.history.runs_on_purpose = static_cast<std::int64_t>(each.on_purpose.size());
    each.history.node_hours = hours;
    found.push_back(std::move(each.history));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& left, const auto& right) { return left.stalls > right.stalls; });
  return found;
}

Result<std::optional<Sighting>> seen_before(History& history, const std::string& signature,
                                            const std::string& run, std::int64_t before_ms) {
  std::optional<Sighting> found;
  if (!names_a_stall(signature)) return found;
  Statement rows = history.database().prepare(
      "SELECT run.run, run.build, run.scenario, stall.onset_ms, run.offset_min FROM stall "
      "JOIN run ON run.id = stall.run_id WHERE stall.signature = ? AND run.run <> ? "
      "AND stall.onset_ms < ? ORDER BY run.purpose, stall.onset_ms DESC LIMIT 1");
  rows.bind(std::string_view(signature)).bind(std::string_view(run)).bind(before_ms);
  if (rows.step())
    found =
        Sighting{.run = rows.text(0),
                 .build = rows.text(1),
                 .scenario = rows.text(2),
                 .at = {.unix_ms = rows.whole(3), .offset_min = static_cast<int>(rows.whole(4))}};
  if (auto failed = history.failure(); !failed) return Failure(failed.error());
  return found;
}

}  // namespace stallproof
