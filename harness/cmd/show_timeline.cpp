// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/show_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace stallproof {
namespace {

using Json = nlohmann::json;

constexpr long long kDayMs = 86'400'000;

// Days since 1970 of a civil date (the proleptic Gregorian calendar).
long long days_of(int year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const long long era = (year >= 0 ? year : year - 399) / 400;
  const long long year_of_era = year - era * 400;
  const long long day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

std::string civil(long long days) {
  days += 719468;
  const long long era = (days >= 0 ? days : days - 146096) / 146097;
  const long long of_era = days - era * 146097;
  const long long year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const long long day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const long long shifted = (5 * day_of_year + 2) / 153;
  const long long month = shifted + (shifted < 10 ? 3 : -9);
  return fmt::format("{:04}-{:02}-{:02}", year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
                     day_of_year - (153 * shifted + 2) / 5 + 1);
}

// "2026-11-23T20:01:02.123+01:00" as the local time it names.
std::optional<WallClock> parse_rfc3339(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0;
  double second = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%lf%n", &year, &month, &day, &hour, &minute,
                  &second, &used) != 6)
    return std::nullopt;
  WallClock clock;
  clock.local_ms = days_of(year, month, day) * kDayMs + hour * 3'600'000LL + minute * 60'000LL +
                   std::llround(second * 1000);
  clock.zone = text.substr(static_cast<std::size_t>(used));
  return clock;
}

// "20261123-200102.123-watch-4711": local time by the name alone.
std::optional<WallClock> parse_run_id(const std::string& id) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0;
  double second = 0;
  if (std::sscanf(id.c_str(), "%4d%2d%2d-%2d%2d%lf", &year, &month, &day, &hour, &minute,
                  &second) != 6)
    return std::nullopt;
  WallClock clock;
  clock.local_ms = days_of(year, month, day) * kDayMs + hour * 3'600'000LL + minute * 60'000LL +
                   std::llround(second * 1000);
  return clock;
}

std::string text_of(const Json& value, const char* key) {
  const auto found = value.find(key);
  if (found == value.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::optional<double> number_of(const Json& value, const char* key) {
  const auto found = value.find(key);
  if (found == value.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

const Json& list_of(const SavedRun& run, const char* key) {
  static const Json none = Json::array();
  if (!run.verdict) return none;
  const auto found = run.verdict->find(key);
  return found == run.verdict->end() || !found->is_array() ? none : *found;
}

std::string words_of(const Json& event) {
  std::string text = text_of(event, "event");
  std::replace(text.begin(), text.end(), '_', ' ');
  for (const auto& [key, value] : event.items()) {
    if (key == "event" || key == "t_ms") continue;
    const std::string word = value.is_string() ? value.get<std::string>() : value.dump();
    if (word != "[]") text += fmt::format("  {} {}", key, word);
  }
  return text;
}

void add_stalls(const SavedRun& run, std::vector<TimelineRow>& rows) {
  for (const Json& stall : list_of(run, "stalls")) {
    const std::string id = text_of(stall, "id");
    if (const auto onset = number_of(stall, "onset_ms"))
      rows.push_back({*onset, fmt::format("STALL {} begins: last completion before it", id)});
    if (const auto detected = number_of(stall, "detected_ms"))
      rows.push_back(
          {*detected, fmt::format("stall {} detected: {}{}", id, text_of(stall, "class"),
                                  text_of(stall, "marked") == "true" ? " (marked)" : "")});
    if (const auto resolved = number_of(stall, "resolved_ms"))
      rows.push_back({*resolved, fmt::format("stall {} over", id)});
  }
  for (const Json& dropout : list_of(run, "dropouts")) {
    const double start = number_of(dropout, "start_ms").value_or(0);
    rows.push_back({start, fmt::format("dropout of {} for {:.1f} s", text_of(dropout, "workload"),
                                       number_of(dropout, "duration_ms").value_or(0) / 1e3)});
  }
  for (const Json& each : list_of(run, "suspected"))
    rows.push_back({number_of(each, "since_ms").value_or(0),
                    fmt::format("suspected: {} completes nothing, nobody of it is blocked",
                                text_of(each, "workload"))});
}

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  while (true) {
    const std::size_t end = std::min(line.find(','), line.size());
    cells.emplace_back(line.substr(0, end));
    if (end == line.size()) return cells;
    line.remove_prefix(end + 1);
  }
}

std::vector<std::vector<std::string>> rows_of(std::string_view csv) {
  std::vector<std::vector<std::string>> rows;
  while (!csv.empty()) {
    const std::size_t end = std::min(csv.find('\n'), csv.size());
    if (end > 0) rows.push_back(cells_of(csv.substr(0, end)));
    csv.remove_prefix(std::min(end + 1, csv.size()));
  }
  return rows;
}

double as_number(const std::vector<std::string>& row, std::size_t at) {
  return at < row.size() ? std::strtod(row[at].c_str(), nullptr) : 0;
}

// The columns that say what the loads completed.
std::vector<std::size_t> work_columns(const std::vector<std::string>& header) {
  std::vector<std::size_t> found;
  for (std::size_t i = 1; i < header.size(); ++i)
    if (header[i] == "completed" || header[i] == "page_reads" || header[i] == "direct_reads")
      found.push_back(i);
  return found;
}

void add_vdbench(const SavedRun& run, std::vector<TimelineRow>& rows) {
  const auto table = rows_of(run.vdbench_csv);
  for (std::size_t i = 1; i < table.size(); ++i) {
    const auto& row = table[i];
    if (row.size() < 6) continue;
    rows.push_back({as_number(row, 0),
                    row[5] == "1" ? fmt::format("vdbench: interval {} MISSING", row[1])
                                  : fmt::format("vdbench: interval {}  {} IOPS  {} MB/s  {} ms",
                                                row[1], row[2], row[3], row[4])});
  }
}

bool stands_at(const Json& stall, double from_ms, double to_ms) {
  const double onset = number_of(stall, "onset_ms").value_or(0);
  const double end = number_of(stall, "resolved_ms").value_or(std::numeric_limits<double>::max());
  return onset < to_ms && end >= from_ms;
}

struct Span {
  double from_ms, to_ms;
};

// The time that a word means, on the run's own clock.
std::optional<Span> span_of(const WallClock& clock, std::string_view when) {
  const std::string word(when);
  if (const auto exact = parse_rfc3339(word)) {
    const auto at = static_cast<double>(exact->local_ms - clock.local_ms);
    return Span{at, at + 1000};
  }
  int hour = 0, minute = 0, second = -1, used = 0;
  const int read = std::sscanf(word.c_str(), "%d:%d%n:%d%n", &hour, &minute, &used, &second, &used);
  if (read < 2 || static_cast<std::size_t>(used) != word.size() || hour > 23 || minute > 59 ||
      hour < 0 || minute < 0 || second > 60)
    return std::nullopt;
  long long at = (clock.local_ms / kDayMs) * kDayMs + hour * 3'600'000LL + minute * 60'000LL +
                 std::max(second, 0) * 1000LL;
  // A run over midnight: the time of day after its start.
  if (at + 60'000 <= clock.local_ms) at += kDayMs;
  const auto from = static_cast<double>(at - clock.local_ms);
  return Span{from, from + (read == 2 ? 60'000 : 1000)};
}

}  // namespace

std::string WallClock::at(double run_ms) const {
  const long long ms = (local_ms + std::llround(run_ms)) % kDayMs;
  return fmt::format("{:02}:{:02}:{:02}.{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60,
                     ms % 1000);
}

std::string WallClock::date() const { return civil(local_ms / kDayMs); }

std::vector<Json> parse_events(std::string_view text, std::vector<std::string>& problems) {
  std::vector<Json> events;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) {
      Json event = Json::parse(text.substr(0, end), nullptr, false);
      if (event.is_object())
        events.push_back(std::move(event));
      else
        problems.push_back(fmt::format("events.jsonl line {}: cut or no JSON", line));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return events;
}

std::optional<WallClock> clock_of(const SavedRun& run) {
  if (run.verdict)
    if (auto clock = parse_rfc3339(text_of(*run.verdict, "started"))) return clock;
  return parse_run_id(run.id);
}

std::vector<TimelineRow> timeline_of(const SavedRun& run) {
  std::vector<TimelineRow> rows;
  for (const Json& event : run.events) {
    const std::string name = text_of(event, "event");
    // Told from the verdict, where they have their end.
    if (run.verdict && (name == "stall" || name == "stall_resolved" || name == "suspected"))
      continue;
    rows.push_back({number_of(event, "t_ms").value_or(0), words_of(event)});
  }
  add_stalls(run, rows);
  add_vdbench(run, rows);
  std::stable_sort(rows.begin(), rows.end(), [](const TimelineRow& left, const TimelineRow& right) {
    return left.run_ms < right.run_ms;
  });
  return rows;
}

std::string render_timeline(const SavedRun& run) {
  const auto clock = clock_of(run);
  std::string text = fmt::format("{:<14}{:>12}\n", clock ? "local time" : "", "run time");
  for (const TimelineRow& row : timeline_of(run))
    text += fmt::format("{:<14}{:>+10.3f} s  {}\n", clock ? clock->at(row.run_ms) : "",
                        row.run_ms / 1e3, row.text);
  return text;
}

std::string render_throughput(const SavedRun& run) {
  const auto table = rows_of(run.seconds_csv);
  if (table.size() < 2) return {};
  const auto columns = work_columns(table[0]);
  std::vector<double> work;
  for (std::size_t i = 1; i < table.size(); ++i) {
    double sum = 0;
    for (const std::size_t column : columns) sum += as_number(table[i], column);
    work.push_back(sum);
  }
  const double most = *std::max_element(work.begin(), work.end());
  if (columns.empty() || most <= 0) return {};
  constexpr std::size_t kMostRows = 60;
  const auto clock = clock_of(run);
  std::string text = "completed per second\n";
  const std::size_t first = work.size() > kMostRows ? work.size() - kMostRows : 0;
  if (first > 0) text += fmt::format("(the last {} of {} seconds)\n", kMostRows, work.size());
  for (std::size_t i = first; i < work.size(); ++i) {
    const double at = as_number(table[i + 1], 0);
    bool stalled = false;
    for (const Json& stall : list_of(run, "stalls")) stalled |= stands_at(stall, at - 1000, at);
    text += fmt::format("{:<14}{:>+8.0f} s {:>10.0f} {}{}\n", clock ? clock->at(at) : "", at / 1e3,
                        work[i], std::string(static_cast<std::size_t>(work[i] / most * 40), '#'),
                        stalled ? "  <- stall" : "");
  }
  return text;
}

Result<FoundIncident> incident_at(const SavedRun& run, std::string_view when) {
  const auto clock = clock_of(run);
  if (!clock) return fail("show --at: this run does not say when it began");
  const auto span = span_of(*clock, when);
  if (!span)
    return fail(fmt::format(
        "show --at: '{}' is no time (03:12, 03:12:30, RFC 3339) and no incident (001)", when));
  const Json& stalls = list_of(run, "stalls");
  if (stalls.empty()) return fail("show --at: the run had no incident");
  const Json* nearest = nullptr;
  double distance = std::numeric_limits<double>::max();
  for (const Json& stall : stalls) {
    if (stands_at(stall, span->from_ms, span->to_ms))
      return FoundIncident{text_of(stall, "id"), ""};
    const double away = std::abs(number_of(stall, "onset_ms").value_or(0) - span->from_ms);
    if (away >= distance) continue;
    distance = away;
    nearest = &stall;
  }
  return FoundIncident{text_of(*nearest, "id"),
                       fmt::format("nothing stood at {}; the nearest incident is {:.0f} s away",
                                   when, distance / 1e3)};
}

}  // namespace stallproof
