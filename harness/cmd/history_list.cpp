// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "harness/base/event_rate.h"
#include "harness/base/saturated.h"
#include "harness/base/units.h"
#include "harness/cmd/history_words.h"
#include "harness/cmd/json_row.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kHourMs = 3'600'000;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::string with_builds(const SignatureHistory& each) {
  std::string names;
  for (std::size_t i = 0; i < each.builds.size() && i < 5; ++i)
    names += (i == 0 ? "" : ", ") + build_name(each.builds[i]);
  if (each.builds.size() > 5) names += fmt::format(" and {} more", each.builds.size() - 5);
  return names;
}

std::string signature_text(const SignatureHistory& each) {
  std::string text = each.signature + "\n";
  if (each.first)
    text += fmt::format(
        "  first seen {} (run {}), last seen {} (run {})\n  {} stalls ({} failing) in {} runs of "
        "{}\n  {}\n",
        time_words(each.first->at), each.first->run, time_words(each.last->at), each.last->run,
        each.stalls, each.failing, each.runs, with_builds(each),
        rate_words(each.counted, each.node_hours));
  else
    text += "  never came by itself\n";
  if (each.runs_on_purpose > 0)
    text += fmt::format("  made by repro in {} runs, not counted here\n", each.runs_on_purpose);
  return text;
}

Json sighting_json(const std::optional<Sighting>& each) {
  if (!each) return nullptr;
  return {{"run", each->run}, {"build", each->build}, {"at", time_words(each->at)}};
}

Json signature_json(const SignatureHistory& each) {
  return {{"signature", each.signature},
          {"first_seen", sighting_json(each.first)},
          {"last_seen", sighting_json(each.last)},
          {"stalls", each.stalls},
          {"failing", each.failing},
          {"runs", each.runs},
          {"builds", each.builds},
          {"runs_on_purpose", each.runs_on_purpose},
          {"rate_per_node_hour", rate_json(each.counted, each.node_hours)}};
}

void append_run(const HistoryRun& run, std::string& into) {
  JsonRow(into)
      .add("run", run.run)
      .add("directory", run.directory)
      .add("verdict", run.state)
      .add("reason", run.reason)
      .add("exit_code", run.exit_code)
      .add("started", time_words(run.started))
      .add("started_unix_ms", run.started.unix_ms)
      .add("hours", run.duration_s / 3600)
      .add("build", run.build)
      .add("node", run.node)
      .add("kernel", run.kernel)
      .add("tool_version", run.tool_version)
      .add("scenario", run.scenario)
      .add("target", run.target)
      .add("fstype", run.fstype)
      .add("stalls", run.stalls)
      .add("failing_stalls", run.failing)
      .add("dropouts", run.dropouts)
      .add("dropout_s", run.dropout_s)
      .end();
}

Json signatures_json(const std::vector<SignatureHistory>& signatures) {
  Json list = Json::array();
  for (const SignatureHistory& each : signatures) list.push_back(signature_json(each));
  return list;
}

std::string loads_text(const std::vector<HistoryLoad>& loads) {
  std::string text;
  for (const HistoryLoad& load : loads) {
    text += fmt::format("  {:<20} {} ops", load.name, load.ops);
    if (load.ops_per_s) text += fmt::format(", {:.5g}/s", *load.ops_per_s);
    if (load.bytes > 0 && load.bytes_per_s)
      text += fmt::format(", {:.4g} MB/s", *load.bytes_per_s / 1e6);
    if (load.p99_us) text += fmt::format(", p99 {:.4g} us", *load.p99_us);
    if (load.errors > 0) text += fmt::format(", {} errors", load.errors);
    text += "\n";
  }
  return text.empty() ? text : "loads\n" + text;
}

}  // namespace

std::string build_name(const std::string& build) { return build.empty() ? "(no build)" : build; }

std::string rate_words(std::int64_t events, double hours) {
  if (hours <= 0) return "no rate: no run that passed or failed";
  const EventRate rate = event_rate(static_cast<std::uint64_t>(events), hours);
  if (events == 0)
    return fmt::format("0 in {:.4g} node-hours: less than {:.3g} an hour (95 %)", hours, rate.high);
  return fmt::format("{} in {:.4g} node-hours: {:.3g} an hour ({:.3g} to {:.3g}, 95 %)", events,
                     hours, rate.rate, rate.low, rate.high);
}

Json rate_json(std::int64_t events, double hours) {
  if (hours <= 0)
    return {{"events", events},
            {"node_hours", 0},
            {"rate", nullptr},
            {"low_95", nullptr},
            {"high_95", nullptr}};
  const EventRate rate = event_rate(static_cast<std::uint64_t>(events), hours);
  return {{"events", events},
          {"node_hours", hours},
          {"rate", rate.rate},
          {"low_95", rate.low},
          {"high_95", rate.high}};
}

std::string document(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<std::int64_t> parse_since(const std::string& text) {
  if (const auto stamp = parse_rfc3339(text)) return stamp->unix_ms;
  tm local{};
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &local.tm_year, &local.tm_mon, &local.tm_mday,
                  &used) == 3 &&
      static_cast<std::size_t>(used) == text.size() && local.tm_mon >= 1 && local.tm_mon <= 12 &&
      local.tm_mday >= 1 && local.tm_mday <= 31) {
    local.tm_year -= 1900;
    local.tm_mon -= 1;
    local.tm_isdst = -1;
    return static_cast<std::int64_t>(::mktime(&local)) * 1000;
  }
  const auto now = static_cast<std::int64_t>(realtime_now() / kMillisecond);
  if (text.ends_with('d'))
    if (const auto days = parse_count(std::string_view(text).substr(0, text.size() - 1));
        days && *days < 100'000)
      return now - static_cast<std::int64_t>(*days) * 24 * kHourMs;
  if (const auto ago = parse_duration(text))
    return now - static_cast<std::int64_t>(*ago / kMillisecond);
  return fail(
      fmt::format("--since: '{}' is no date (2026-11-01), no RFC 3339 stamp and no time "
                  "ago (36h, 7d)",
                  text));
}

std::string list_text(const HistoryRuns& found, const std::vector<SignatureHistory>& signatures) {
  std::string text;
  for (const SignatureHistory& each : signatures) text += signature_text(each) + "\n";
  if (found.runs.empty()) return text + "no run\n";
  bool unfinished = false, on_purpose = false;
  text += fmt::format("{:<26}  {:<10} {:>8} {:>7} {:>8}  {:<16} {}\n", "started", "verdict",
                      "hours", "stalls", "dropouts", "build", "run");
  for (const HistoryRun& run : found.runs) {
    unfinished |= run.state == "unfinished";
    on_purpose |= run.on_purpose;
    text += fmt::format("{:<26}  {:<10} {:>8.3f} {:>7} {:>8}  {:<16} {}\n", time_words(run.started),
                        run.state, run.duration_s / 3600,
                        fmt::format("{}{}", run.stalls, run.on_purpose ? "*" : ""), run.dropouts,
                        run.build.empty() ? "-" : run.build, run.run);
  }
  const auto shown = static_cast<std::int64_t>(found.runs.size());
  if (shown < found.all)
    text += fmt::format("{} of {} runs (--limit 0 shows all)\n", shown, found.all);
  if (on_purpose)
    text += "*: made on purpose by repro; such runs are in no rate of compare, trend and list\n";
  if (unfinished)
    text += "unfinished: still running, or killed; `stallproof postmortem` closes those\n";
  return text;
}

ListDocument::ListDocument(std::int64_t all)
    : text_(fmt::format("{{\n  \"schema\": 1,\n  \"all\": {},\n  \"runs\": [", all)) {}

void ListDocument::add(const HistoryRun& run) {
  text_ += any_ ? ",\n    " : "\n    ";
  append_run(run, text_);
  any_ = true;
}

std::string ListDocument::finish(const std::vector<SignatureHistory>& signatures) && {
  text_ += "],\n  \"signatures\": ";
  text_ += signatures_json(signatures).dump(-1, ' ', false, Json::error_handler_t::replace);
  text_ += "\n}\n";
  return std::move(text_);
}

std::string show_text(const HistoryRunDetails& details,
                      const std::vector<SignatureHistory>& known) {
  const HistoryRun& run = details.run;
  std::string text =
      fmt::format("run {} in {}\nstarted {}, {}\nverdict: {}{}\n", run.run, run.directory,
                  time_words(run.started), format_duration(saturated<Nanos>(run.duration_s * 1e9)),
                  run.state, run.reason.empty() ? "" : ": " + run.reason);
  text += fmt::format("node {}, kernel {}, stallproof {}, target {} {}\n", run.node, run.kernel,
                      run.tool_version, run.fstype, run.target);
  for (const auto& [key, value] : details.labels) text += fmt::format("label {}={}\n", key, value);
  if (run.on_purpose) text += fmt::format("made by repro {}\n", run.scenario);
  text += fmt::format("{} dropouts, {:.1f} s of them\n", run.dropouts, run.dropout_s);
  text += loads_text(details.loads);
  for (const HistoryStall& stall : details.stalls)
    text += fmt::format("stall {} at {}, {}{}: {}\n", stall.incident, time_words(stall.onset),
                        stall.lasted_ms
                            ? "for " + format_duration(saturated<Nanos>(*stall.lasted_ms * 1e6))
                            : "not resolved",
                        stall.failing ? ", failing" : "", stall.stall_class);
  for (const SignatureHistory& each : known) text += "\n" + signature_text(each);
  return text;
}

Json show_json(const HistoryRunDetails& details, const std::vector<SignatureHistory>& known) {
  Json stalls = Json::array(), loads = Json::array();
  for (const HistoryStall& stall : details.stalls)
    stalls.push_back({{"incident", stall.incident},
                      {"class", stall.stall_class},
                      {"signature", stall.signature},
                      {"onset", time_words(stall.onset)},
                      {"lasted_ms", or_null(stall.lasted_ms)},
                      {"failing", stall.failing}});
  for (const HistoryLoad& load : details.loads)
    loads.push_back({{"name", load.name},
                     {"ops", load.ops},
                     {"bytes", load.bytes},
                     {"errors", load.errors},
                     {"ops_per_s", or_null(load.ops_per_s)},
                     {"bytes_per_s", or_null(load.bytes_per_s)},
                     {"p50_us", or_null(load.p50_us)},
                     {"p99_us", or_null(load.p99_us)},
                     {"max_us", or_null(load.max_us)}});
  std::string row;
  append_run(details.run, row);
  Json document = Json::parse(row, nullptr, false);
  document["labels"] = details.labels;
  document["on_purpose"] = details.run.on_purpose;
  document["stall_list"] = stalls;
  document["loads"] = loads;
  document["signatures"] = signatures_json(known);
  return {{"schema", 1}, {"run", document}};
}

}  // namespace stallproof
