// SPDX-License-Identifier: Apache-2.0
#include "harness/run/judge/series_detect.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "harness/detect/dropout.h"
#include "harness/detect/incident.h"
#include "harness/detect/no_progress.h"

namespace stallproof {
namespace {

constexpr std::size_t kLooksPerRow = 10;
// Zero is no time to a detector.
constexpr double kBaseMs = 10'000;
// As the watchdog: after a gap nothing is believed before it has stood for stall-after.
constexpr double kAfterGapMinMs = 300, kAfterGapMaxMs = 5000;
// The longest duration is the middle of a histogram's bucket.
constexpr double kBucket = 1 + 1.0 / 32;

Nanos nanos_of(double ms) { return static_cast<Nanos>(std::llround((ms + kBaseMs) * 1e6)); }
double ms_of(Nanos at) { return static_cast<double>(at) / 1e6 - kBaseMs; }
double in_ms(Nanos span) { return static_cast<double>(span) / 1e6; }

class Feeder {
 public:
  Feeder(const SeriesTimeline& timeline, const LoadThresholds& thresholds)
      : line_(timeline),
        limits_(thresholds),
        no_progress_(thresholds),
        stuck_op_(thresholds),
        dropout_(std::make_unique<Dropout>(thresholds)) {}

  SeriesFindings run() {
    view_.load_count = line_.loads.size();
    for (std::size_t i = 0; i < line_.spans.size(); ++i) {
      const TimeSpan& span = line_.spans[i];
      const std::size_t looks = span.fine ? 1 : kLooksPerRow;
      for (std::size_t look = 1; look <= looks; ++look) feed(i, look, looks);
      for (std::size_t load = 0; load < view_.load_count; ++load)
        begun_[load] += line_.at(i, load).ops;
    }
    findings_.clear();
    dropout_->close_all(view_.now_ns, findings_);
    take_dropouts();
    return std::move(found_);
  }

 private:
  void feed(std::size_t index, std::size_t look, std::size_t looks) {
    const TimeSpan& span = line_.spans[index];
    const double part = static_cast<double>(look) / static_cast<double>(looks);
    const double now_ms = span.from_ms + (span.until_ms - span.from_ms) * part;
    view_.now_ns = nanos_of(now_ms);
    view_.after_gap = after_gap(now_ms);
    for (std::size_t load = 0; load < view_.load_count; ++load)
      set(view_.loads[load], line_.at(index, load), span, load, part);
    findings_.clear();
    no_progress_.check(view_, findings_);
    // Something completed when the op was that old: surely only if it was when the span began.
    for (std::size_t load = 0; load < view_.load_count; ++load)
      if (line_.at(index, load).ops > 0)
        std::swap(view_.loads[load].last_done_ns, early_done_[load]);
    stuck_op_.check(view_, findings_);
    for (std::size_t load = 0; load < view_.load_count; ++load)
      if (line_.at(index, load).ops > 0)
        std::swap(view_.loads[load].last_done_ns, early_done_[load]);
    dropout_->check(view_, findings_);
    take_dropouts();
    track(span);
  }

  void set(LoadView& view, const LoadSpan& cell, const TimeSpan& span, std::size_t load,
           double part) {
    view.ops = begun_[load] + static_cast<std::uint64_t>(static_cast<double>(cell.ops) * part);
    if (cell.ops > 0) {
      view.last_done_ns = view_.now_ns;
      early_done_[load] = nanos_of(span.from_ms);
    }
    const double began_ms = span.until_ms - cell.oldest_ms;
    const Nanos began = cell.in_flight > 0 ? nanos_of(std::max(began_ms, -kBaseMs + 1)) : 0;
    const bool flying = cell.in_flight > 0 && (began <= view_.now_ns || cell.ops > 0);
    view.in_flight = flying ? static_cast<std::uint32_t>(cell.in_flight) : 0;
    view.oldest_op_started_ns = flying ? std::min(began, view_.now_ns) : 0;
  }

  void track(const TimeSpan& span) {
    const auto change = tracker_.update(view_, findings_.items());
    if (!change) return;
    const Incident& incident = tracker_.current();
    if (*change == IncidentChange::opened) found_.stalls.emplace_back();
    SeriesStall& stall = found_.stalls.back();
    stall.onset_ms = std::max(0.0, ms_of(incident.onset_ns));
    stall.inexact_ms = std::max(stall.inexact_ms, 2 * (span.until_ms - span.from_ms));
    for (std::size_t load = 0; load < view_.load_count; ++load)
      if (incident.stalled[load]) stall.loads |= 1U << load;
    stall.stuck_op = incident.kinds == 1U << static_cast<std::uint32_t>(FindingKind::stuck_op);
    if (*change == IncidentChange::resolved) stall.resolved_ms = ms_of(incident.resolved_ns);
  }

  void take_dropouts() {
    for (const Finding& finding : findings_.items())
      if (finding.kind == FindingKind::dropout_end)
        found_.dropouts.push_back({.load = finding.load,
                                   .start_ms = std::max(0.0, ms_of(finding.since_ns)),
                                   .end_ms = ms_of(finding.until_ns),
                                   .ratio = finding.ratio});
  }

  [[nodiscard]] bool after_gap(double now_ms) const {
    const double believed =
        std::clamp(in_ms(limits_.longest_stall_after()), kAfterGapMinMs, kAfterGapMaxMs);
    return std::any_of(line_.gaps.begin(), line_.gaps.end(), [&](const GapWindow& gap) {
      return now_ms >= gap.from_ms && now_ms < gap.until_ms + believed;
    });
  }

  const SeriesTimeline& line_;
  const LoadThresholds& limits_;
  NoProgress no_progress_;
  StuckOp stuck_op_;
  std::unique_ptr<Dropout> dropout_;
  IncidentTracker tracker_;
  SystemView view_;
  FindingList findings_;
  std::array<std::uint64_t, kMaxLoads> begun_{};
  std::array<Nanos, kMaxLoads> early_done_{};
  SeriesFindings found_;
};

// Where a load may have completed nothing for stall-after, as far as rows of a second can tell.
class Doubts {
 public:
  Doubts(const SeriesTimeline& timeline, const LoadThresholds& thresholds, SeriesFindings& found)
      : line_(timeline), thresholds_(thresholds), found_(found) {}

  void look(std::size_t load) {
    const double limit = in_ms(thresholds_.of(load).stall_after);
    double from = line_.spans.empty() ? 0 : line_.spans.front().from_ms;
    double old = 0;       // the oldest operation that was seen since
    bool coarse = false;  // some of it is known by the second only
    bool unknown = false, begun = false;
    for (std::size_t i = 0; i < line_.spans.size(); ++i) {
      const LoadSpan& cell = line_.at(i, load);
      const TimeSpan& span = line_.spans[i];
      coarse = coarse || !span.fine;
      old = std::max({old, cell.oldest_ms, cell.longest_ms * kBucket});
      // Of load that is not ours nothing is known of what completed.
      unknown = unknown || (!span.fine && cell.ops > 0 && cell.longest_ms < 0);
      if (cell.ops == 0) continue;
      const bool could = span.until_ms - from >= limit && (old >= limit || unknown);
      if (begun && coarse && could) add(load, from, span.until_ms);
      begun = true;
      from = span.from_ms;
      coarse = !span.fine;
      old = cell.oldest_ms;
      unknown = false;
    }
  }

 private:
  void add(std::size_t load, double from, double until) {
    for (const SeriesStall& stall : found_.stalls)
      if ((stall.loads >> load & 1U) != 0 && stall.onset_ms <= until &&
          stall.resolved_ms.value_or(until) >= from)
        return;
    const auto number = static_cast<std::uint32_t>(load);
    auto& possible = found_.possible;
    if (!possible.empty() && possible.back().load == number && possible.back().until_ms >= from) {
      possible.back().until_ms = until;
      possible.back().at_most_ms = std::max(possible.back().at_most_ms, until - from);
      return;
    }
    possible.push_back({number, from, until, until - from});
  }

  const SeriesTimeline& line_;
  const LoadThresholds& thresholds_;
  SeriesFindings& found_;
};

}  // namespace

SeriesFindings detect_in_series(const SeriesTimeline& timeline, const LoadThresholds& thresholds) {
  SeriesFindings found = Feeder(timeline, thresholds).run();
  Doubts doubts(timeline, thresholds, found);
  for (std::size_t load = 0; load < timeline.loads.size(); ++load) doubts.look(load);
  std::sort(found.possible.begin(), found.possible.end(),
            [](const PossibleStall& a, const PossibleStall& b) { return a.from_ms < b.from_ms; });
  return found;
}

}  // namespace stallproof
