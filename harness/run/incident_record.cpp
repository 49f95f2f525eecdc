// SPDX-License-Identifier: Apache-2.0
#include "harness/run/incident_record.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/base/units.h"
#include "harness/detect/detector.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_text.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

double ms_since(Nanos at, Nanos start) {
  return at > start ? static_cast<double>(at - start) / 1e6 : 0;
}

std::string pretty(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string IncidentRecord::id() const { return fmt::format("{:03}", number); }

std::string IncidentRecord::stall_class() const {
  if (!explanation || explanation->stall_class == "none") return "unknown";
  return explanation->stall_class;
}

std::vector<std::string> IncidentRecord::sources() const {
  std::vector<std::string> names;
  for (const FindingKind kind :
       {FindingKind::no_progress, FindingKind::stuck_op, FindingKind::blocked_tasks}) {
    if ((kinds & (1U << static_cast<std::uint32_t>(kind))) != 0)
      names.emplace_back(finding_name(kind));
  }
  if (by_cycle) names.emplace_back("lock-cycle");
  return names;
}

std::vector<std::string> IncidentRecord::detectors() const {
  std::vector<std::string> names = sources();
  for (const SupportRecord& each : support) names.push_back(each.detector);
  return names;
}

bool IncidentRecord::failing(Nanos fail_after) const {
  if (resolved_ns) return failing_at(*resolved_ns, fail_after);
  return is_failing(kNeverEnded, rule(fail_after));
}

bool IncidentRecord::failing_at(Nanos now, Nanos fail_after) const {
  return is_failing(now > onset_ns ? now - onset_ns : 0, rule(fail_after));
}

StallRule IncidentRecord::rule(Nanos fail_after) const {
  return {.fail_after = fail_after, .allowed = allowed_ns, .in_circle = cycle_confirmed};
}

std::string truth_json(const Board& board, Nanos now_ns) {
  Json threads = Json::array();
  for (const LoadEntry& load : board.loads()) {
    for (const BoardSlot& slot : board.slots_of(load)) {
      const Nanos started = slot.op_started_ns.load(std::memory_order_acquire);
      threads.push_back({{"tid", slot.tid.load()},
                         {"load", load.name},
                         {"op", op_name(static_cast<Op>(slot.op_code.load()))},
                         {"in_flight", started != 0 && slot.left.load() == 0},
                         {"op_age_ms", started == 0 ? 0.0 : ms_since(now_ns, started)},
                         {"offset", slot.op_offset.load()}});
    }
  }
  Json hazards = Json::array();
  for (const OpenHazard& hazard : board.header().service.open_hazards) {
    if (hazard.tid.load() == 0) continue;
    hazards.push_back({{"tid", hazard.tid.load()}, {"offset", hazard.offset.load()}});
  }
  return pretty({{"threads", threads}, {"open_hazards", hazards}});
}

void save_evidence(RunDir& run, const IncidentRecord& incident, const Evidence& evidence) {
  const std::string& folder = incident.folder;
  run.save(folder + "kmsg.txt", copy_kernel_log(evidence.area()));
  if (incident.snapshot) {
    run.save(folder + "snapshot.json", snapshot_json(*incident.snapshot));
    run.save(folder + "stacks.txt", stacks_text(*incident.snapshot));
  }
  if (incident.explanation) {
    run.save(folder + "explanation.json", render_json(*incident.explanation));
    run.save(folder + "explanation.txt", render_text(*incident.explanation));
    run.save(folder + "graph.svg", render_svg(*incident.explanation));
    run.save(folder + "graph.dot", render_dot(*incident.explanation));
  }
}

void save_incident(RunDir& run, const IncidentRecord& incident,
                   const std::vector<std::string>& load_names, Nanos started_ns) {
  Json loads = Json::array();
  for (std::size_t i = 0; i < load_names.size() && i < kMaxLoads; ++i)
    if ((incident.stalled & (1U << i)) != 0) loads.push_back(load_names[i]);
  Json support = Json::array();
  for (const SupportRecord& each : incident.support)
    support.push_back({{"detector", each.detector},
                       {"since_ms", ms_since(each.since_ns, started_ns)},
                       {"count", each.count},
                       {"what", each.what}});
  const bool explained = incident.explanation.has_value();
  run.save(incident.folder + "incident.json",
           pretty({{"id", incident.id()},
                   {"class", explained ? incident.explanation->stall_class : "unknown"},
                   {"signature", explained ? incident.explanation->signature : "unknown"},
                   {"onset_ms", ms_since(incident.onset_ns, started_ns)},
                   {"detected_ms", ms_since(incident.detected_ns, started_ns)},
                   {"resolved_ms", incident.resolved_ns
                                       ? Json(ms_since(*incident.resolved_ns, started_ns))
                                       : Json(nullptr)},
                   {"loads", loads},
                   {"sources", incident.sources()},
                   {"detectors", incident.detectors()},
                   {"support", support},
                   {"blocked_tasks", incident.blocked},
                   {"cycle_confirmed", incident.cycle_confirmed},
                   {"evidence", incident.kept == Kept::counted ? "counted" : "full"}}));
}

}  // namespace stallproof
