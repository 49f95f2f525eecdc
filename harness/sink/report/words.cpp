// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/base/event_rate.h"
#include "harness/base/markup.h"

namespace stallproof {
namespace {

std::string three_digits(double value) {
  return value < 9.995   ? fmt::format("{:.2g}", value)
         : value < 99.95 ? fmt::format("{:.1f}", value)
                         : fmt::format("{:.0f}", value);
}

std::string rate_words(double per_hour) {
  if (per_hour >= 1) return fmt::format("{:.1f} per hour", per_hour);
  return fmt::format("{:.3g} per hour, one in {}", per_hour, span_words(3600 / per_hour));
}

std::string hazard_words(const Verdict& verdict) {
  if (!verdict.hazard) return {};
  if (verdict.hazard->entered == 0)
    return " The hazard was never entered: that nothing stalled proves nothing.";
  return fmt::format(" The hazard was entered {} times.", verdict.hazard->entered);
}

std::string sight_words(const Verdict& verdict) {
  std::string words;
  if (verdict.observer.gaps > 0)
    words += fmt::format(" Left out: {} in which the watchdog itself was not run.",
                         span_words(verdict.observer.gaps_ms / 1e3));
  if (verdict.outcome == Outcome::unknown)
    words += " The verdict is unknown, and unknown is never green.";
  return words;
}

}  // namespace

std::string count_words(double count) {
  constexpr std::array kUnits{"", " k", " M", " G", " T"};
  std::size_t unit = 0;
  while (count >= 999.5 && unit + 1 < kUnits.size()) {
    count /= 1000;
    ++unit;
  }
  return three_digits(count) + kUnits[unit];
}

std::string bytes_words(std::uint64_t bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", unit == 0 ? fmt::format("{}", bytes) : three_digits(value),
                     kUnits[unit]);
}

std::string micros_words(double micros) {
  if (micros < 999.5) return three_digits(micros) + " µs";
  if (micros < 999.5e3) return three_digits(micros / 1e3) + " ms";
  return three_digits(micros / 1e6) + " s";
}

ZeroMeaning zero_meaning(const RunContents& contents) {
  if (!contents.run.verdict)
    return {"No verdict: nothing follows about the rate of stalls.",
            "The run has not ended, or was killed before it was judged."};
  const Verdict& verdict = *contents.run.verdict;
  std::uint64_t failing = 0;
  for (const StallEntry& stall : verdict.stalls) failing += stall.failing ? 1 : 0;
  if (!verdict.scenario.empty() && !verdict.stalls.empty())
    return {"The stall was provoked: no rate follows from it.", ""};
  const double hours = (verdict.duration_s - verdict.observer.gaps_ms / 1e3) / 3600;
  if (!(hours > 0)) return {"Nothing was watched: no rate follows.", ""};
  const double bound = poisson_upper_bound(failing, 0.95) / hours;
  ZeroMeaning meaning;
  meaning.headline =
      fmt::format("{} failing stall{} in {}: at most {} (95 % confidence).",
                  failing == 0 ? "No" : fmt::format("{}", failing), failing > 1 ? "s" : "",
                  span_words(hours * 3600), rate_words(bound));
  meaning.detail =
      "The exact Poisson upper bound for stalls that come at random. Twice the hours "
      "halve it; what this load never does is not covered by it.";
  if (failing < verdict.stalls.size())
    meaning.detail +=
        fmt::format(" Of all {} stalls, failing or not: at most {}.", verdict.stalls.size(),
                    rate_words(poisson_upper_bound(verdict.stalls.size(), 0.95) / hours));
  meaning.detail += hazard_words(verdict) + sight_words(verdict);
  return meaning;
}

std::vector<Band> bands_of(const RunContents& contents) {
  std::vector<Band> bands;
  for (const RunWindow& window : contents.windows)
    bands.push_back({window.start_ms / 1e3,
                     window.end_ms / 1e3,
                     window.kind,
                     fmt::format("{}: {}", window.kind, window.text),
                     {}});
  for (const ReportIncident& incident : contents.incidents) {
    const auto resolved =
        incident.entry ? incident.entry->resolved_ms : incident.stored.resolved_ms;
    const double onset = incident.entry ? incident.entry->onset_ms : incident.stored.onset_ms;
    bands.push_back(
        {onset / 1e3,
         resolved ? *resolved / 1e3 : contents.span_s,
         "stall",
         fmt::format("incident {}: {}", incident.stored.id, incident.stored.stall_class),
         {}});
  }
  if (contents.run.verdict)
    for (const DropoutEntry& dropout : contents.run.verdict->dropouts)
      bands.push_back({dropout.start_ms / 1e3, (dropout.start_ms + dropout.duration_ms) / 1e3,
                       "dropout",
                       fmt::format("dropout of {} for {}, down to {:.0f} %", dropout.workload,
                                   span_words(dropout.duration_ms / 1e3), dropout.min_ratio * 100),
                       dropout.workload});
  std::stable_sort(bands.begin(), bands.end(),
                   [](const Band& a, const Band& b) { return a.start_s < b.start_s; });
  return bands;
}

TimeAxis axis_of(const RunContents& contents) {
  TimeAxis axis{.end_s = contents.span_s};
  if (contents.run.verdict) axis.day_s = seconds_of_day(contents.run.verdict->started);
  return axis;
}

std::string verdict_word(const RunContents& contents) {
  return contents.run.verdict ? outcome_name(contents.run.verdict->outcome) : "unfinished";
}

std::string incident_times(const ReportIncident& incident, const TimeAxis& axis) {
  const double onset = incident.entry ? incident.entry->onset_ms : incident.stored.onset_ms;
  const double seen = incident.entry ? incident.entry->detected_ms : incident.stored.detected_ms;
  const auto over = incident.entry ? incident.entry->resolved_ms : incident.stored.resolved_ms;
  std::string words = fmt::format("Last completion {}, detected {} after it",
                                  axis.moment(onset / 1e3), span_words((seen - onset) / 1e3));
  words += over ? fmt::format(", over after {}.", span_words((*over - onset) / 1e3))
                : ", never resolved.";
  if (incident.entry && incident.entry->failing) words += " A failing stall.";
  return words;
}

}  // namespace stallproof
