// SPDX-License-Identifier: Apache-2.0
#include "harness/run/judge/rejudge.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/units.h"
#include "harness/store/mark.h"
#include "harness/store/stall_rule.h"

namespace stallproof {
namespace {

// Beyond that the series do not tell the end of the run.
constexpr double kSeriesMayEndEarlierMs = 15'000;
// A stall of the run and one of the series are the same when they overlap, give or take a second.
constexpr double kSame = 1000;

double in_ms(Nanos span) { return static_cast<double>(span) / 1e6; }

Thresholds as_thresholds(double stall_after_ms, double fail_after_ms, double dropout_below) {
  return {.stall_after = nanos_from_ms(stall_after_ms),
          .fail_after = nanos_from_ms(fail_after_ms),
          .dropout_below = dropout_below};
}

PlanLimits limits_of(const ThresholdsEntry& entry) {
  return {
      .thresholds = as_thresholds(entry.stall_after_ms, entry.fail_after_ms, entry.dropout_below),
      .max_dropouts = entry.max_dropouts,
      .max_dropout_seconds = entry.max_dropout_seconds};
}

Thresholds changed(Thresholds thresholds, const JudgeWords& words) {
  thresholds.stall_after = words.stall_after.value_or(thresholds.stall_after);
  // A stall that fails is one: so much is meant by a longer stall-after alone.
  thresholds.fail_after =
      std::max(words.fail_after.value_or(thresholds.fail_after), thresholds.stall_after);
  thresholds.dropout_below = words.dropout_below.value_or(thresholds.dropout_below);
  return thresholds;
}

class Judge {
 public:
  Judge(JudgedRun& into, const JudgeWords& words, SeriesTimeline timeline)
      : out_(into), words_(words), line_(std::move(timeline)) {}

  void judge() {
    set_thresholds();
    const SeriesFindings found = detect_in_series(line_, LoadThresholds(out_.now, own_));
    out_.judged_ms = line_.end_ms();
    out_.fine_ms = line_.fine_ms;
    out_.notes = line_.problems;
    take_own_stalls();
    take_series_stalls(found);
    take_doubts(found);
    take_dropouts(found);
    decide();
  }

 private:
  void set_thresholds();
  void take_own_stalls();
  void take_series_stalls(const SeriesFindings& found);
  void take_doubts(const SeriesFindings& found);
  void take_dropouts(const SeriesFindings& found);
  void decide();
  [[nodiscard]] PlanFacts facts_of(const std::vector<StallEntry>& stalls,
                                   const std::vector<DropoutEntry>& dropouts) const;
  [[nodiscard]] std::vector<std::string> incomplete() const;
  [[nodiscard]] double warm_ms() const;

  [[nodiscard]] const Thresholds& of(const std::string& load) const {
    const auto own = limits_.find(load);
    return own == limits_.end() ? out_.now : own->second.thresholds;
  }
  // Of a stall of several loads: what fails for one of them fails.
  [[nodiscard]] double least(const std::vector<std::string>& loads,
                             Nanos Thresholds::*which) const {
    if (loads.empty()) return in_ms(out_.now.*which);
    Nanos found = ~Nanos{0};
    for (const std::string& load : loads) found = std::min(found, of(load).*which);
    return in_ms(found);
  }
  [[nodiscard]] double lasted(const JudgedStall& stall) const {
    return stall.resolved_ms.value_or(std::max(line_.end_ms(), stall.onset_ms)) - stall.onset_ms;
  }
  // What a mark allows of a stall that began somewhere in that time, whatever the thresholds are.
  [[nodiscard]] std::optional<Nanos> allowed(double from_ms, double until_ms) const {
    if (!out_.run.verdict) return {};
    std::vector<MarkEntry> marks = out_.run.verdict->marks;
    std::erase_if(marks, [until_ms](const MarkEntry& mark) { return mark.end_ms < until_ms; });
    return marked_at(marks, from_ms).allow_ns;
  }
  [[nodiscard]] bool fails(const JudgedStall& stall, double from_ms, double until_ms,
                           double lasted_ms) const {
    return is_failing(nanos_from_ms(lasted_ms),
                      {.fail_after = nanos_from_ms(least(stall.loads, &Thresholds::fail_after)),
                       .allowed = allowed(from_ms, until_ms),
                       .in_circle = stall.in_circle});
  }
  [[nodiscard]] bool fails(const JudgedStall& stall) const {
    const double earliest = stall.onset_ms - stall.inexact_ms;
    return fails(stall, stall.onset_ms, stall.onset_ms, lasted(stall)) &&
           fails(stall, earliest, earliest, lasted(stall));
  }
  [[nodiscard]] bool may_fail(const JudgedStall& stall) const {
    return fails(stall, stall.onset_ms - stall.inexact_ms, stall.onset_ms,
                 lasted(stall) + stall.inexact_ms);
  }
  [[nodiscard]] bool may_fail(const PossibleStall& each) const {
    const Nanos fail_after = of(line_.loads[each.load]).fail_after;
    const double latest_ms = std::max(each.from_ms, each.until_ms - in_ms(fail_after));
    return is_failing(nanos_from_ms(each.at_most_ms),
                      {.fail_after = fail_after, .allowed = allowed(each.from_ms, latest_ms)});
  }
  // With fewer or equal demands the run's own detectors would have seen it.
  [[nodiscard]] bool run_would_have_seen(const std::string& load) const {
    const Verdict* const verdict = out_.run.verdict ? &*out_.run.verdict : nullptr;
    if (verdict == nullptr) return false;
    const auto own = verdict->load_thresholds.find(load);
    const double before = own == verdict->load_thresholds.end() ? verdict->stall_after_ms
                                                                : own->second.stall_after_ms;
    return in_ms(of(load).stall_after) >= before;
  }

  JudgedRun& out_;
  const JudgeWords& words_;
  SeriesTimeline line_;
  std::vector<OwnThresholds> own_;
  std::map<std::string, PlanLimits> limits_;  // of loads that have their own, changed
};

void Judge::set_thresholds() {
  out_.before = Thresholds{.fail_after = 30 * kSecond};
  if (const auto& verdict = out_.run.verdict)
    out_.before =
        as_thresholds(verdict->stall_after_ms, verdict->fail_after_ms, verdict->dropout_below);
  out_.now = changed(out_.before, words_);
  if (!out_.run.verdict) return;
  for (const auto& [name, entry] : out_.run.verdict->load_thresholds) {
    PlanLimits limits = limits_of(entry);
    limits.thresholds = changed(limits.thresholds, words_);
    limits_.emplace(name, limits);
    out_.own_thresholds = true;
    for (std::uint32_t i = 0; i < line_.loads.size(); ++i)
      if (line_.loads[i] == name) own_.push_back({i, limits.thresholds});
  }
}

// The run measured these itself: how long they lasted is exact.
void Judge::take_own_stalls() {
  if (!out_.run.verdict) return;
  for (const StallEntry& entry : out_.run.verdict->stalls) {
    JudgedStall stall{.id = entry.id,
                      .onset_ms = entry.onset_ms,
                      .resolved_ms = entry.resolved_ms,
                      .was_failing = entry.failing};
    for (const StoredIncident& incident : out_.run.incidents)
      if (incident.id == entry.id) {
        stall.loads = incident.loads;
        stall.in_circle = incident.cycle_confirmed;
      }
    // One op alone, while others of its load complete, is one from fail-after on.
    const bool stuck_op = entry.sources == std::vector<std::string>{"stuck-op"};
    const double stall_after =
        least(stall.loads, stuck_op ? &Thresholds::fail_after : &Thresholds::stall_after);
    stall.is_stall = stall.in_circle || !entry.resolved_ms || lasted(stall) >= stall_after;
    // One that stood when the run was killed, and had not failed by then, is no endless one.
    const bool endless = !entry.resolved_ms && entry.failing;
    stall.is_failing = endless || fails(stall);
    out_.stalls.push_back(std::move(stall));
  }
}

void Judge::take_series_stalls(const SeriesFindings& found) {
  const std::size_t own = out_.stalls.size();
  for (const SeriesStall& each : found.stalls) {
    const double end = each.resolved_ms.value_or(line_.end_ms());
    const auto same =
        std::find_if(out_.stalls.begin(), out_.stalls.begin() + static_cast<std::ptrdiff_t>(own),
                     [&](const JudgedStall& known) {
                       return known.onset_ms <= end + kSame &&
                              known.resolved_ms.value_or(line_.end_ms()) + kSame >= each.onset_ms;
                     });
    if (same != out_.stalls.begin() + static_cast<std::ptrdiff_t>(own)) continue;
    JudgedStall stall{.onset_ms = each.onset_ms,
                      .resolved_ms = each.resolved_ms,
                      .inexact_ms = each.inexact_ms,
                      .is_stall = true};
    for (std::size_t i = 0; i < line_.loads.size(); ++i)
      if ((each.loads >> i & 1U) != 0) stall.loads.push_back(line_.loads[i]);
    stall.is_failing = fails(stall);
    // The series end with the load: what was in flight then may have been ended on purpose.
    if (!each.resolved_ms && !out_.run.verdict) stall.is_failing = false;
    out_.stalls.push_back(std::move(stall));
  }
  std::stable_sort(
      out_.stalls.begin(), out_.stalls.end(),
      [](const JudgedStall& a, const JudgedStall& b) { return a.onset_ms < b.onset_ms; });
}

void Judge::take_doubts(const SeriesFindings& found) {
  for (const PossibleStall& each : found.possible) {
    const std::string& load = line_.loads[each.load];
    if (run_would_have_seen(load)) continue;
    const bool known =
        std::any_of(out_.stalls.begin(), out_.stalls.end(), [&](const JudgedStall& stall) {
          return stall.is_stall && stall.onset_ms <= each.until_ms &&
                 stall.resolved_ms.value_or(line_.end_ms()) >= each.from_ms &&
                 each.until_ms - each.from_ms <= lasted(stall) + 2 * kSame;
        });
    if (!known)
      out_.doubts.push_back({.load = load,
                             .from_ms = each.from_ms,
                             .until_ms = each.until_ms,
                             .may_fail = may_fail(each)});
  }
  for (const JudgedStall& stall : out_.stalls)
    if (!stall.is_failing && stall.is_stall && may_fail(stall))
      out_.doubts.push_back({.load = fmt::format("{}", fmt::join(stall.loads, " ")),
                             .from_ms = stall.onset_ms,
                             .until_ms = stall.resolved_ms.value_or(line_.end_ms()),
                             .may_fail = true});
}

// By the same rule the run's own count is the exact one.
void Judge::take_dropouts(const SeriesFindings& found) {
  bool same = out_.run.verdict.has_value() && out_.now.dropout_below == out_.before.dropout_below;
  if (out_.run.verdict)
    for (const auto& [name, entry] : out_.run.verdict->load_thresholds)
      same = same && limits_.at(name).thresholds.dropout_below == entry.dropout_below;
  if (same) {
    out_.dropouts = out_.run.verdict->dropouts;
    return;
  }
  for (const SeriesDropout& each : found.dropouts)
    out_.dropouts.push_back({.workload = line_.loads[each.load],
                             .start_ms = each.start_ms,
                             .duration_ms = each.end_ms - each.start_ms,
                             .min_ratio = each.ratio});
}

// Dropouts before it do not count, as in the run.
double Judge::warm_ms() const {
  if (out_.run.plan.empty()) return 0;
  const auto plan = parse_plan(out_.run.plan, "plan.toml");
  if (!plan) return 0;
  double load_ms = 0;
  const auto events = read_file(out_.run.directory + "/events.jsonl");
  const std::string text = events ? *events : "";
  const std::size_t started = text.find("\"load_started\"");
  if (started != std::string::npos) {
    const std::size_t begin = text.rfind('\n', started);
    const std::size_t line = begin == std::string::npos ? 0 : begin + 1;
    const auto event =
        nlohmann::json::parse(text.substr(line, text.find('\n', started) - line), nullptr, false);
    if (event.is_object() && event.contains("t_ms") && event["t_ms"].is_number())
      load_ms = event["t_ms"].get<double>();
  }
  return load_ms + in_ms(plan->warmup);
}

PlanFacts Judge::facts_of(const std::vector<StallEntry>& stalls,
                          const std::vector<DropoutEntry>& dropouts) const {
  const Verdict& verdict = *out_.run.verdict;
  PlanFacts facts{.stalls = stalls,
                  .limits = {.thresholds = out_.now,
                             .max_dropouts = verdict.max_dropouts,
                             .max_dropout_seconds = verdict.max_dropout_seconds},
                  .load_limits = limits_};
  const auto until_stall = verdict.settings.find("until_stall");
  facts.until_stall = until_stall != verdict.settings.end() && until_stall->second == "yes";
  const double warm = warm_ms();
  for (const DropoutEntry& dropout : dropouts)
    if (dropout.start_ms >= warm) facts.dropouts.push_back(dropout);
  return facts;
}

std::vector<std::string> Judge::incomplete() const {
  std::vector<std::string> found = line_.problems;
  const Verdict& verdict = *out_.run.verdict;
  const std::vector<std::string>& blind = verdict.observer.blind_spots;
  if (std::find(blind.begin(), blind.end(), kDidNotReachItsEnd) != blind.end())
    found.emplace_back(kDidNotReachItsEnd);
  const double lacking = verdict.duration_s * 1e3 - line_.end_ms();
  if (lacking > kSeriesMayEndEarlierMs)
    found.push_back(fmt::format("the series end {:.0f} s before the run did", lacking / 1e3));
  if (verdict.stalls_not_listed > 0 && out_.now.fail_after < out_.before.fail_after)
    found.push_back(
        fmt::format("{} stalls of the run are counted and not listed", verdict.stalls_not_listed));
  for (const JudgedDoubt& doubt : out_.doubts)
    if (doubt.may_fail)
      found.push_back(
          fmt::format("{}: rows of a second cannot tell whether it stalled for {} "
                      "between +{:.1f} s and +{:.1f} s",
                      doubt.load, format_duration(of(doubt.load).fail_after), doubt.from_ms / 1e3,
                      doubt.until_ms / 1e3));
  constexpr std::size_t kTold = 20;
  if (found.size() > kTold) {
    const std::size_t more = found.size() - kTold;
    found.resize(kTold);
    found.push_back(fmt::format("and {} more of that kind", more));
  }
  return found;
}

void Judge::decide() {
  if (!out_.run.verdict) {
    out_.outcome.reasons.emplace_back("the run has no verdict: it did not end, or was killed");
    return;
  }
  const Verdict& verdict = *out_.run.verdict;
  std::vector<StallEntry> stalls;
  for (const JudgedStall& stall : out_.stalls) {
    if (!stall.is_stall) continue;
    const auto own = std::find_if(verdict.stalls.begin(), verdict.stalls.end(),
                                  [&](const StallEntry& each) { return each.id == stall.id; });
    StallEntry entry = own != verdict.stalls.end() ? *own : StallEntry{.id = "new"};
    if (entry.stall_class.empty())
      entry.stall_class = fmt::format("+{:.1f} s, from the series", stall.onset_ms / 1e3);
    entry.failing = stall.is_failing;
    stalls.push_back(entry);
  }
  PlanFacts facts = facts_of(stalls, out_.dropouts);
  // What the run failed for beside stalls and dropouts, no threshold changes.
  const bool failed_otherwise =
      verdict.outcome == Outcome::fail &&
      judge_plan(facts_of(verdict.stalls, verdict.dropouts)).outcome != Outcome::fail;
  if (failed_otherwise) facts.failures = verdict.reasons;
  for (const auto& [name, load] : verdict.workloads)
    if (!failed_otherwise && verdict.outcome == Outcome::fail &&
        load.errors + load.mismatches > load.sigbus)
      facts.failures.push_back(fmt::format("{} operations of {} failed or read wrong data",
                                           load.errors + load.mismatches - load.sigbus, name));
  if (verdict.outcome == Outcome::unknown) facts.impaired = verdict.reasons;
  for (const std::string& reason : incomplete()) facts.impaired.push_back(reason);
  facts.left_behind = verdict.left_behind;
  out_.outcome = judge_plan(facts);
}

}  // namespace

Result<JudgedRun> judge_again(StoredRun run, const JudgeWords& words) {
  auto timeline = read_timeline(run.directory);
  if (!timeline) return Failure(timeline.error());
  JudgedRun judged;
  judged.run = std::move(run);
  Judge(judged, words, std::move(*timeline)).judge();
  return judged;
}

}  // namespace stallproof
