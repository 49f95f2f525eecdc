// SPDX-License-Identifier: Apache-2.0
#include "harness/run/incident_book.h"

#include "harness/detect/detector.h"
#include "harness/detect/subject.h"
#include "harness/run/before_incident.h"

namespace stallproof {

IncidentRecord& IncidentBook::open(const WatchEvent& event) {
  return incidents_.emplace_back(IncidentRecord{.number = next_number(),
                                                .watch_number = event.incident,
                                                .onset_ns = event.since_ns,
                                                .detected_ns = event.at_ns,
                                                .kinds = event.kinds,
                                                .stalled = event.stalled,
                                                .blocked = event.blocked});
}

IncidentRecord& IncidentBook::open_by_cycle(Nanos onset_ns, Nanos now_ns) {
  return incidents_.emplace_back(IncidentRecord{
      .number = next_number(), .onset_ns = onset_ns, .detected_ns = now_ns, .by_cycle = true});
}

void IncidentBook::update(const WatchEvent& event) {
  if (incidents_.empty() || incidents_.back().watch_number != event.incident) return;
  IncidentRecord& incident = incidents_.back();
  incident.kinds = event.kinds;
  incident.stalled = event.stalled;
  incident.blocked = event.blocked;
  if (event.kind != WatchEventKind::incident_resolved) return;
  incident.resolved_ns = event.at_ns;
  save_before_once(incident);
}

void IncidentBook::note_support(const WatchEvent& event) {
  if (incidents_.empty() || incidents_.back().watch_number != event.incident) return;
  for (std::uint32_t kind = 0; kind < kFindingKinds; ++kind) {
    if ((event.kinds & (1U << kind)) == 0) continue;
    incidents_.back().support.push_back(
        {.detector = std::string(finding_name(static_cast<FindingKind>(kind))),
         .since_ns = event.since_ns,
         .count = event.blocked,
         .what = std::string(text_of(event.subject))});
  }
}

void IncidentBook::save_before_once(IncidentRecord& incident) {
  if (incident.before_saved) return;
  incident.before_saved = true;
  save_before(setup_.run, "incidents/" + incident.id() + "/before/", setup_.evidence.area(),
              setup_.load_names(), setup_.lens, incident.detected_ns);
}

void IncidentBook::note_dropout(const WatchEvent& event) {
  if (event.kind == WatchEventKind::dropout_begin) {
    dropouts_.push_back({.load = event.load, .since_ns = event.since_ns, .ratio = event.ratio});
    return;
  }
  for (DropoutRecord& dropout : dropouts_) {
    if (dropout.load != event.load || dropout.until_ns) continue;
    dropout.until_ns = event.at_ns;
    dropout.ratio = event.ratio;
  }
}

IncidentBook::Taken IncidentBook::take(LockSnapshot snapshot) {
  IncidentRecord* const incident = standing();
  if (incident == nullptr) return Taken::ignored;
  Explanation explanation = setup_.lens.explain_snapshot(snapshot);
  if (incident->explanation && setup_.conclusive(*incident->explanation)) {
    if (incident->cycle_confirmed || !explanation.cycle ||
        explanation.cycle != incident->explanation->cycle)
      return Taken::ignored;
    incident->cycle_confirmed = true;
    return Taken::confirmed;
  }
  const bool better = !incident->explanation || explanation.cycle.has_value() ||
                      !incident->explanation->cycle.has_value();
  if (!better) return Taken::ignored;
  incident->explanation = std::move(explanation);
  incident->snapshot = std::move(snapshot);
  incident->explained_ns = monotonic_now();
  save_evidence(setup_.run, *incident, setup_.evidence);
  save_before_once(*incident);
  return setup_.conclusive(*incident->explanation) ? Taken::conclusive : Taken::saved;
}

IncidentRecord* IncidentBook::standing() {
  if (incidents_.empty() || incidents_.back().resolved_ns) return nullptr;
  return &incidents_.back();
}

void IncidentBook::save_all(Nanos started_ns) {
  for (IncidentRecord& incident : incidents_) save_before_once(incident);
  for (const IncidentRecord& incident : incidents_)
    save_incident(setup_.run, incident, setup_.load_names(), started_ns);
}

}  // namespace stallproof
