// SPDX-License-Identifier: Apache-2.0
// The stall of a reproduction: from the watchdog's word that something stands, by looks into the
// kernel, to its explanation and its end.
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/units.h"
#include "harness/run/repro_outcome.h"
#include "harness/run/repro_run.h"

namespace stallproof {
namespace {

Nanos last_completion_ns(const Board& board) {
  Nanos last = 0;
  for (const BoardSlot& slot : board.slots()) last = std::max(last, slot.last_done_ns.load());
  return last;
}

}  // namespace

void ReproRun::open_incident(const WatchEvent& event) {
  IncidentRecord& incident = book_.open(event);
  incident.last_op_ns = last_completion_ns(lab_.board());
  captures_.begin(incident);
  next_proc_look_ns_ = 0;
  console_.step(event.at_ns - state_.clock.monotonic_ns,
                fmt::format("STALL: no I/O has completed for {} (last completion at +{:.3f} s)",
                            format_duration(event.at_ns - event.since_ns),
                            static_cast<double>(event.since_ns - state_.clock.monotonic_ns) / 1e9));
  if (!scanning_) explain_by_proc();
}

void ReproRun::on_scan(const WatchEvent& event) {
  if (!lens_.keep_scan(lab_.evidence(), event.scan)) return;
  const IncidentRecord* const incident = book_.standing();
  if (incident == nullptr || event.at_ns < incident->detected_ns) return;
  if (incident->cycle_confirmed) return;
  if (auto snapshot = lens_.snapshot(our_processes())) take_explanation(std::move(*snapshot));
}

void ReproRun::explain_by_proc() {
  auto snapshot = lens_.snapshot_by_proc(our_processes(), 2 * kSecond);
  if (snapshot) take_explanation(std::move(*snapshot));
}

void ReproRun::take_explanation(LockSnapshot snapshot) {
  const auto taken = book_.take(std::move(snapshot));
  if (taken != IncidentBook::Taken::saved && taken != IncidentBook::Taken::conclusive) return;
  const IncidentRecord& incident = *book_.standing();
  if (incident.kept != Kept::full) return;
  if (taken == IncidentBook::Taken::conclusive) show_explanation(incident);
  run_.save("incidents/" + incident.id() + "/truth.json",
            truth_json(lab_.board(), monotonic_now()));
}

// A stall that healing ended is resolved by the first completion after it, else by the end of all.
void ReproRun::settle_incident(IncidentRecord& incident) {
  if (incident.resolved_ns) return;
  const Nanos last = last_completion_ns(lab_.board());
  if (last > incident.detected_ns)
    book_.resolve(last);
  else if (state_.ending->healed_ns != 0)
    book_.resolve(state_.ending->healed_ns);
}

bool ReproRun::as_promised(const Explanation& explanation) const {
  return stallproof::as_promised({.stall_class = explanation.stall_class,
                                  .signature = explanation.signature,
                                  .expected_class = plan_.expected_class,
                                  .expected_signatures = plan_.expected_signatures});
}

bool ReproRun::explained_as_promised(const IncidentRecord& incident) const {
  return incident.explanation && as_promised(*incident.explanation);
}

}  // namespace stallproof
