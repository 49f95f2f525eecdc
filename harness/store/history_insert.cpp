// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history_insert.h"

#include <algorithm>
#include <limits>

namespace stallproof {
namespace {

std::string build_of(const Verdict& verdict) {
  const auto found = verdict.labels.find("build");
  return found == verdict.labels.end() ? "" : found->second;
}

std::int64_t as_whole(std::uint64_t value) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(value, kMost));
}

// Made on purpose: how often it comes by itself is not told by such a run.
bool made_on_purpose(const Verdict& verdict) { return !verdict.scenario.empty(); }

std::string reason_of(const HistoryEntry& entry) {
  if (!entry.problem.empty()) return entry.problem;
  return entry.verdict.reasons.empty() ? "" : entry.verdict.reasons.front();
}

// A damaged file may say anything; what is no time any more must not overflow.
std::int64_t as_ms(double ms) { return static_cast<std::int64_t>(std::clamp(ms, 0.0, 1e14)); }

double dropout_seconds(const Verdict& verdict) {
  double sum = 0;
  for (const DropoutEntry& dropout : verdict.dropouts) sum += dropout.duration_ms / 1000;
  return sum;
}

std::optional<double> per_second(std::uint64_t count, double seconds) {
  if (seconds <= 0) return std::nullopt;
  return static_cast<double>(count) / seconds;
}

// Of a merge the hours of all its nodes: what stalls there is told by the node-hour.
double watched_s(const Verdict& verdict) {
  return verdict.fleet.node_hours > 0 ? verdict.fleet.node_hours * 3600 : verdict.duration_s;
}

}  // namespace

HistoryInsert::HistoryInsert(Database& database)
    : database_(database),
      forget_(database.prepare(
          "DELETE FROM run WHERE run = ? AND (node = ? OR node = '' OR directory = ?)")),
      run_(database.prepare(
          "INSERT INTO run (run, node, directory, state, stamp_ns, started_ms, offset_min, "
          "duration_s, exit_code, reason, scenario, purpose, build, kernel, tool_version, target, "
          "fstype, stalls, failing, dropouts, dropout_s) "
          "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id")),
      label_(database.prepare("INSERT INTO label VALUES (?,?,?)")),
      stall_(database.prepare("INSERT OR REPLACE INTO stall VALUES (?,?,?,?,?,?,?)")),
      load_(database.prepare("INSERT INTO load VALUES (?,?,?,?,?,?,?,?,?,?)")) {}

void HistoryInsert::put(const HistoryEntry& entry) {
  forget_.bind(entry.run).bind(entry.verdict.node).bind(entry.directory).run();
  put_run(entry);
}

void HistoryInsert::put_run(const HistoryEntry& entry) {
  const Verdict& verdict = entry.verdict;
  const auto failing = std::count_if(verdict.stalls.begin(), verdict.stalls.end(),
                                     [](const StallEntry& stall) { return stall.failing; });
  const bool ended = entry.state != "unfinished" && entry.state != "unreadable";
  run_.bind(entry.run).bind(verdict.node).bind(entry.directory).bind(entry.state);
  run_.bind(entry.stamp_ns).bind(entry.started.unix_ms);
  run_.bind(std::int64_t{entry.started.offset_min}).bind(watched_s(verdict));
  run_.bind(ended ? std::optional<std::int64_t>(verdict.exit_code) : std::nullopt);
  run_.bind(reason_of(entry)).bind(verdict.scenario);
  run_.bind(std::int64_t{made_on_purpose(verdict)}).bind(build_of(verdict)).bind(verdict.kernel);
  run_.bind(verdict.tool_version).bind(verdict.target_path).bind(verdict.target_fstype);
  run_.bind(as_whole(verdict.stalls.size())).bind(static_cast<std::int64_t>(failing));
  run_.bind(as_whole(verdict.dropouts.size())).bind(dropout_seconds(verdict));
  const std::int64_t id = run_.step() ? run_.whole(0) : 0;
  run_.run();
  for (const auto& [key, value] : verdict.labels) label_.bind(id).bind(key).bind(value).run();
  put_stalls(entry, id);
  put_loads(verdict, id);
}

void HistoryInsert::put_stalls(const HistoryEntry& entry, std::int64_t run_id) {
  for (const StallEntry& stall : entry.verdict.stalls) {
    const auto stamp = parse_rfc3339(stall.onset);
    const std::int64_t onset =
        stamp ? stamp->unix_ms : entry.started.unix_ms + as_ms(stall.onset_ms);
    std::optional<double> lasted;
    if (stall.resolved_ms) lasted = std::max(0.0, *stall.resolved_ms - stall.onset_ms);
    stall_.bind(run_id).bind(stall.id).bind(stall.stall_class).bind(stall.signature);
    stall_.bind(onset).bind(lasted).bind(std::int64_t{stall.failing}).run();
  }
}

void HistoryInsert::put_loads(const Verdict& verdict, std::int64_t run_id) {
  for (const auto& [name, load] : verdict.workloads) {
    load_.bind(run_id).bind(name).bind(as_whole(load.ops)).bind(as_whole(load.bytes));
    load_.bind(as_whole(load.errors)).bind(per_second(load.ops, watched_s(verdict)));
    load_.bind(per_second(load.bytes, watched_s(verdict)));
    load_.bind(load.p50_us).bind(load.p99_us).bind(load.max_us).run();
  }
}

}  // namespace stallproof
