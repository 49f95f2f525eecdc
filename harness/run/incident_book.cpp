// SPDX-License-Identifier: Apache-2.0
#include "harness/run/incident_book.h"

#include <algorithm>

#include "harness/detect/detector.h"
#include "harness/detect/subject.h"
#include "harness/run/before_incident.h"
#include "harness/run/incident_news.h"

namespace stallproof {
namespace {

// An explanation is there within milliseconds, or it will not be.
constexpr Nanos kExplainedByThen = 300 * kMillisecond;
constexpr const char* kUnknown = "unknown";

Nanos lasted(const IncidentRecord& incident) {
  return incident.resolved_ns && *incident.resolved_ns > incident.onset_ns
             ? *incident.resolved_ns - incident.onset_ns
             : 0;
}

}  // namespace

IncidentRecord& IncidentBook::add(IncidentRecord incident) {
  if (incidents_.size() >= setup_.limits.listed) make_room();
  incident.number = ++opened_;
  incident.folder = setup_.under + incident.id() + "/";
  if (setup_.marked) {
    const Marked marked = setup_.marked(incident.onset_ns);
    incident.marked = marked.any;
    incident.allowed_ns = marked.allow_ns;
  }
  incidents_.push_back(std::move(incident));
  note_opened(incidents_.back());
  return incidents_.back();
}

IncidentRecord& IncidentBook::open(const WatchEvent& event) {
  return add({.watch_number = event.incident,
              .onset_ns = event.since_ns,
              .detected_ns = event.at_ns,
              .kinds = event.kinds,
              .stalled = event.stalled,
              .blocked = event.blocked});
}

IncidentRecord& IncidentBook::open_by_cycle(Nanos onset_ns, Nanos now_ns) {
  return add({.onset_ns = onset_ns, .detected_ns = now_ns, .by_cycle = true});
}

// The least grave one goes: of those that resolved, the shortest. The first one stays, it tells
// when it began.
void IncidentBook::make_room() {
  std::size_t least = 0;
  for (std::size_t i = 1; i < incidents_.size(); ++i) {
    if (!incidents_[i].resolved_ns || incidents_[i].cycle_confirmed) continue;
    if (least == 0 || lasted(incidents_[i]) < lasted(incidents_[least])) least = i;
  }
  if (least == 0) least = incidents_.size() - 1;
  ++unlisted_.stalls;
  unlisted_.longest_ns = std::max(unlisted_.longest_ns, lasted(incidents_[least]));
  incidents_.erase(incidents_.begin() + static_cast<std::ptrdiff_t>(least));
}

const IncidentRecord* IncidentBook::find(std::uint32_t number) const {
  const auto found =
      std::find_if(incidents_.rbegin(), incidents_.rend(),
                   [number](const IncidentRecord& each) { return each.number == number; });
  return found == incidents_.rend() ? nullptr : &*found;
}

void IncidentBook::decide_evidence(Nanos now, bool failing) {
  IncidentRecord* const incident = standing();
  if (incident == nullptr) return;
  if (incident->kept == Kept::undecided && now < incident->detected_ns + kExplainedByThen) return;
  if (incident->kept == Kept::full || (incident->kept == Kept::counted && !failing)) return;
  decide(*incident, failing);
  if (incident->kept != Kept::full) return;
  if (incident->explanation) save_evidence(setup_.run, *incident, setup_.evidence);
  save_before_once(*incident);
}

// One that was counted may still become one that is kept, never the other way.
void IncidentBook::decide(IncidentRecord& incident, bool failing) {
  if (incident.kept == Kept::full) return;
  const std::string signature =
      incident.explanation ? incident.explanation->signature : std::string(kUnknown);
  incident.kept = Kept::counted;
  if (!kept_.contains(signature) && kept_.size() >= setup_.limits.signatures) return;
  KeptInFull& kept = kept_[signature];
  std::size_t& number = failing ? kept.failing : kept.all;
  if (number >= setup_.limits.per_signature) return;
  ++number;
  incident.kept = Kept::full;
}

void IncidentBook::resolve(Nanos at) {
  IncidentRecord* const incident = standing();
  if (incident == nullptr) return;
  incident->resolved_ns = at;
  settle(*incident);
  record("stall_resolved", *incident);
  tell(&RunListener::on_resolved, *incident);
}

void IncidentBook::note_opened(const IncidentRecord& incident) const {
  record("stall", incident);
  tell(&RunListener::on_stall, incident);
}

void IncidentBook::update(const WatchEvent& event) {
  if (incidents_.empty() || incidents_.back().watch_number != event.incident) return;
  IncidentRecord& incident = incidents_.back();
  incident.kinds = event.kinds;
  incident.stalled = event.stalled;
  incident.blocked = event.blocked;
  if (event.kind != WatchEventKind::incident_resolved) return;
  resolve(event.at_ns);
}

// It is over: from now on little of it is needed.
void IncidentBook::settle(IncidentRecord& incident) {
  if (incident.settled) return;
  if (incident.kept == Kept::undecided) decide(incident, false);
  save_before_once(incident);
  save_json(incident, started_ns_);
  incident.settled = true;
  incident.snapshot.reset();
  if (incident.kept != Kept::counted || !incident.explanation) return;
  incident.explanation->nodes = {};
  incident.explanation->edges = {};
}

// The folder of one that is only counted holds nothing else.
void IncidentBook::save_json(IncidentRecord& incident, Nanos started_ns) {
  if (incident.settled) return;
  if (incident.kept == Kept::full || incident.number <= setup_.limits.listed)
    save_incident(setup_.run, incident, setup_.load_names(), started_ns);
}

void IncidentBook::record(std::string_view event, const IncidentRecord& incident) const {
  if (setup_.clock == nullptr) return;
  setup_.run.append_event(stall_event(event, setup_.event_prefix,
                                      stall_news(incident, *setup_.clock, setup_.load_names()),
                                      setup_.clock->ms(monotonic_now())));
}

void IncidentBook::tell(void (RunListener::*what)(const StallNews&),
                        const IncidentRecord& incident) const {
  if (setup_.feed == nullptr) return;
  setup_.feed->tell(what, stall_news(incident, *setup_.clock, setup_.load_names()));
}

void IncidentBook::tell(const DropoutRecord& dropout) const {
  if (setup_.feed == nullptr) return;
  DropoutNews news = dropout_news(dropout, *setup_.clock, setup_.load_names());
  news.allowed = setup_.marked && setup_.marked(dropout.since_ns).allow_ns.has_value();
  setup_.feed->tell(&RunListener::on_dropout, news);
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
  if (incident.before_saved || incident.kept != Kept::full) return;
  incident.before_saved = true;
  save_before(setup_.run, incident.folder + "before/", setup_.evidence.area(), setup_.load_names(),
              setup_.lens, incident.detected_ns);
}

void IncidentBook::note_dropout(const WatchEvent& event) {
  if (event.kind == WatchEventKind::dropout_begin) {
    if (dropouts_.size() >= setup_.limits.dropouts) {
      ++unlisted_.dropouts;
      return;
    }
    dropouts_.push_back({.load = event.load, .since_ns = event.since_ns, .ratio = event.ratio});
    return tell(dropouts_.back());
  }
  for (DropoutRecord& dropout : dropouts_) {
    if (dropout.load != event.load || dropout.until_ns) continue;
    dropout.until_ns = event.at_ns;
    dropout.ratio = event.ratio;
    tell(dropout);
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
    confirm(*incident);
    return Taken::confirmed;
  }
  const bool better = !incident->explanation || explanation.cycle.has_value() ||
                      !incident->explanation->cycle.has_value();
  if (!better) return Taken::ignored;
  keep(*incident, std::move(snapshot), std::move(explanation));
  return setup_.conclusive(*incident->explanation) ? Taken::conclusive : Taken::saved;
}

void IncidentBook::confirm(IncidentRecord& incident) {
  incident.cycle_confirmed = true;
  record("cycle_confirmed", incident);
}

void IncidentBook::keep(IncidentRecord& incident, LockSnapshot snapshot, Explanation explanation) {
  const bool news = !incident.explanation ||
                    incident.explanation->signature != explanation.signature ||
                    incident.explanation->cycle.has_value() != explanation.cycle.has_value();
  incident.explanation = std::move(explanation);
  incident.snapshot = std::move(snapshot);
  incident.explained_ns = monotonic_now();
  decide(incident, false);
  if (incident.kept == Kept::full) save_evidence(setup_.run, incident, setup_.evidence);
  save_before_once(incident);
  if (!news) return;
  record("explained", incident);
  tell(&RunListener::on_explained, incident);
}

IncidentRecord* IncidentBook::standing() {
  if (incidents_.empty() || incidents_.back().resolved_ns) return nullptr;
  return &incidents_.back();
}

void IncidentBook::save_all(Nanos started_ns) {
  for (IncidentRecord& incident : incidents_) {
    if (incident.kept == Kept::undecided) decide(incident, false);
    save_before_once(incident);
    save_json(incident, started_ns);
  }
}

}  // namespace stallproof
