// SPDX-License-Identifier: Apache-2.0
#include "harness/run/incident_lane.h"

namespace stallproof {
namespace {

constexpr Nanos kProcLookEvery = 500 * kMillisecond;
constexpr Nanos kProcLookLimit = 2 * kSecond;

}  // namespace

void IncidentLane::on_incident(const WatchEvent& event) {
  if (event.kind == WatchEventKind::incident_opened) return open(event);
  if (event.kind == WatchEventKind::supported) return book.note_support(event);
  book.update(event);
  if (event.kind == WatchEventKind::incident_resolved) teller.tell_resolved(event.at_ns);
}

void IncidentLane::open(const WatchEvent& event) {
  const IncidentRecord& incident = book.open(event);
  captures.begin(incident);
  next_proc_look_ns = 0;
  teller.tell_stall(incident);
}

void IncidentLane::on_scan(const WatchEvent& event, const LiveLens& lens) {
  const IncidentRecord* const incident = book.standing();
  if (incident == nullptr || event.at_ns < incident->detected_ns || incident->cycle_confirmed)
    return;
  if (auto snapshot = lens.snapshot(processes())) take(std::move(*snapshot));
}

void IncidentLane::take(LockSnapshot snapshot) {
  const auto taken = book.take(std::move(snapshot));
  if (taken == IncidentBook::Taken::conclusive) teller.tell_explanation(*book.standing());
}

void IncidentLane::look_by_proc(Nanos now, LiveLens& lens) {
  const IncidentRecord* const incident = book.standing();
  if (incident == nullptr || incident->cycle_confirmed || now < next_proc_look_ns) return;
  auto snapshot = lens.snapshot_by_proc(processes(), kProcLookLimit, LiveLens::Others::blocked);
  next_proc_look_ns = monotonic_now() + kProcLookEvery;
  if (snapshot) take(std::move(*snapshot));
}

void IncidentLane::take_captures(Nanos now, RunDir& run, const RunClock& clock, bool marked) {
  const IncidentRecord* const incident = book.standing();
  captures.serve(
      {.run = run,
       .book = book,
       .started_ns = clock.monotonic_ns,
       .failing = incident != nullptr && incident->failing_at(now, fail_after(*incident)),
       .marked = marked});
}

}  // namespace stallproof
