// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/incident.h"

namespace stallproof {
namespace {

bool opens(const Finding& finding) { return finding.opens || !only_supports(finding.kind); }

}  // namespace

std::string_view finding_name(FindingKind kind) {
  switch (kind) {
    case FindingKind::no_progress:
      return "no-progress";
    case FindingKind::stuck_op:
      return "stuck-op";
    case FindingKind::dropout_begin:
    case FindingKind::dropout_end:
      return "dropout";
#define SP_NAME(kind, name, summary) \
  case FindingKind::kind:            \
    return name;
      SP_DETECTORS(SP_NAME)
#undef SP_NAME
  }
  return "unknown";
}

bool only_supports(FindingKind kind) {
  return kind != FindingKind::no_progress && kind != FindingKind::stuck_op;
}

std::uint32_t findings_of(DetectorSet detectors) {
  std::uint32_t kinds = 0;
  for (std::uint32_t kind = 0; kind < kFindingKinds; ++kind)
    if (has_detector(detectors, finding_name(static_cast<FindingKind>(kind)))) kinds |= 1U << kind;
  return kinds;
}

bool IncidentTracker::opened_by(const Finding& finding) const {
  return opens(finding) && (loads_ >> finding.load & 1U) != 0;
}

std::optional<IncidentChange> IncidentTracker::update(const SystemView& view,
                                                      std::span<const Finding> findings) {
  if (!standing()) return ended_ ? std::nullopt : open(view, findings);
  if (all_moving(view)) {
    current_.resolved_ns = view.now_ns;
    return IncidentChange::resolved;
  }
  if (!ended_ && extend(findings)) return IncidentChange::extended;
  return std::nullopt;
}

std::optional<IncidentChange> IncidentTracker::open(const SystemView& view,
                                                    std::span<const Finding> findings) {
  bool any = false;
  for (const Finding& finding : findings) any = any || opened_by(finding);
  if (!any) return std::nullopt;
  current_ =
      Incident{.number = current_.number + 1, .onset_ns = ~Nanos{0}, .detected_ns = view.now_ns};
  extend(findings);
  return IncidentChange::opened;
}

bool IncidentTracker::extend(std::span<const Finding> findings) {
  bool grew = false;
  for (const Finding& finding : findings) {
    const bool ours = opened_by(finding);
    if (!ours && opens(finding)) continue;  // of a load that another one follows
    const std::uint32_t bit = 1U << static_cast<std::uint32_t>(finding.kind);
    grew = grew || (current_.kinds & bit) == 0;
    current_.kinds |= bit;
    if (finding.kind == FindingKind::blocked_tasks && finding.count > current_.blocked)
      current_.blocked = finding.count;
    if (only_supports(finding.kind)) {
      Support& support = current_.support[static_cast<std::size_t>(finding.kind)];
      if (support.since_ns == 0)
        support = {
            .since_ns = finding.since_ns, .count = finding.count, .subject = finding.subject};
    }
    if (!ours) continue;
    if (finding.since_ns < current_.onset_ns) current_.onset_ns = finding.since_ns;
    if (current_.stalled[finding.load]) continue;
    current_.stalled[finding.load] = true;
    grew = true;
  }
  return grew;
}

bool IncidentTracker::all_moving(const SystemView& view) const {
  for (std::size_t i = 0; i < view.load_count; ++i) {
    if (!current_.stalled[i]) continue;
    const LoadView& load = view.loads[i];
    const bool completed = load.last_done_ns > current_.detected_ns;
    const bool old_op_gone =
        load.in_flight == 0 || load.oldest_op_started_ns > current_.detected_ns;
    if (!completed || !old_op_gone) return false;
  }
  return true;
}

}  // namespace stallproof
