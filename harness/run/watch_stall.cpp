// SPDX-License-Identifier: Apache-2.0
// A stall of somebody else's load: from the watchdog's word, or from a circle that a look into the
// kernel finds while others still complete, to its explanation and its end.
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/units.h"
#include "harness/run/watch_run.h"

namespace stallproof {
namespace {

constexpr Nanos kProcLookEvery = 500 * kMillisecond;
constexpr Nanos kProcLookLimit = 2 * kSecond;
// Two looks that far apart with the same tasks in the circle: it will not open by itself.
constexpr Nanos kCycleStands = 200 * kMillisecond;

}  // namespace

void WatchRun::on_opened(const WatchEvent& event) {
  // What the circle alone had shown before is the same stall.
  if (IncidentRecord* const known = book_.standing(); known != nullptr && known->by_cycle) {
    known->watch_number = event.incident;
    known->kinds = event.kinds;
    known->stalled = event.stalled;
    return;
  }
  const IncidentRecord& incident = book_.open(event);
  captures_.begin(incident);
  next_proc_look_ns_ = 0;
  tell(event.at_ns,
       fmt::format("STALL: no I/O has completed for {} and tasks are blocked (since +{:.3f} s)",
                   format_duration(event.at_ns - event.since_ns),
                   state_.clock.ms(event.since_ns) / 1e3));
}

void WatchRun::on_scan(const WatchEvent& event) {
  if (!lens_.keep_scan(watchdog_.evidence(), event.scan)) return;
  if (canary_ != nullptr) canary_->on_scan(event, lens_);
  const IncidentRecord* const incident = book_.standing();
  if (incident != nullptr && (event.at_ns < incident->detected_ns || incident->cycle_confirmed))
    return;
  auto snapshot = lens_.snapshot(members_);
  if (!snapshot) return;
  if (incident != nullptr) return take(std::move(*snapshot));
  look_for_cycle(std::move(*snapshot), event.at_ns);
}

void WatchRun::take(LockSnapshot snapshot) {
  if (book_.take(std::move(snapshot)) == IncidentBook::Taken::conclusive)
    tell_explanation(*book_.standing());
}

// Some threads sleep unchanged while others of their process complete: a slow device, or a circle
// that the others have not reached yet.
void WatchRun::look_for_cycle(LockSnapshot snapshot, Nanos now) {
  const auto since = blocked_since();
  if (!since || now < *since + options_.thresholds.stall_after) {
    cycle_.reset();
    return;
  }
  const Explanation explanation = lens_.explain_snapshot(snapshot);
  if (!explanation.cycle) {
    cycle_.reset();
    return;
  }
  if (!cycle_ || cycle_->nodes != *explanation.cycle) {
    cycle_ = SeenCycle{.nodes = *explanation.cycle, .at_ns = now};
    return;
  }
  if (now < cycle_->at_ns + kCycleStands) return;
  IncidentRecord& incident = book_.open_by_cycle(*since, monotonic_now());
  captures_.begin(incident);
  tell(incident.detected_ns,
       "STALL: tasks wait for each other in a circle, while others still complete");
  take(std::move(snapshot));
  book_.confirm(incident);
}

// Where BPF is refused: the same questions to /proc, through a child that may be sacrificed.
void WatchRun::look_by_proc(Nanos now) {
  if (scanning_ || now < next_proc_look_ns_) return;
  const IncidentRecord* const incident = book_.standing();
  const auto since = blocked_since();
  const bool worth = incident != nullptr ? !incident->cycle_confirmed
                                         : since && now >= *since + options_.thresholds.stall_after;
  if (!worth) return;
  auto snapshot = lens_.snapshot_by_proc(members_, kProcLookLimit, LiveLens::Others::blocked);
  next_proc_look_ns_ = monotonic_now() + kProcLookEvery;
  if (!snapshot) return;
  if (incident != nullptr) return take(std::move(*snapshot));
  look_for_cycle(std::move(*snapshot), monotonic_now());
}

// A circle that the watchdog did not report is over when nobody of it is blocked as he was.
void WatchRun::check_circle(Nanos now) {
  IncidentRecord* const incident = book_.standing();
  if (incident == nullptr || !incident->by_cycle || incident->watch_number != 0) return;
  const auto since = blocked_since();
  if (since && *since <= incident->onset_ns) return;
  book_.resolve(now);
  tell(now, "resolved: the circle has opened");
}

// Of the threads that sleep unchanged in a file-system wait, the one that sleeps longest.
std::optional<Nanos> WatchRun::blocked_since() const {
  std::optional<Nanos> since;
  for (const TargetRow& row : watchdog_.evidence().area().targets) {
    if (row.tgid.load(std::memory_order_relaxed) == 0) continue;
    const Nanos at = row.blocked_since_ns.load(std::memory_order_relaxed);
    if (at != 0 && (!since || at < *since)) since = at;
  }
  return since;
}

}  // namespace stallproof
