// SPDX-License-Identifier: Apache-2.0
#include "harness/run/run_manifest.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/node_name.h"
#include "harness/base/units.h"
#include "harness/base/version.h"
#include "harness/run/process_identity.h"

namespace stallproof {
namespace {

std::string boot_id() {
  const auto text = read_file("/proc/sys/kernel/random/boot_id", 256);
  return text ? text->substr(0, text->find('\n')) : "unknown";
}

const char* stage_name(RunStage stage) {
  switch (stage) {
    case RunStage::running:
      return "running";
    case RunStage::crashing:
      return "crashing";
    case RunStage::ended:
      return "ended";
  }
  return "running";
}

const char* class_of(const IncidentRecord& incident) {
  return incident.explanation ? incident.explanation->stall_class.c_str() : "unknown";
}

}  // namespace

ManifestFacts manifest_of(const RunDir& run, OnStall policy, RunStage stage) {
  return {.run = run.id(),
          .directory = run.path(),
          .policy = policy_name(policy),
          .started = run.made(),
          .labels = run.labels(),
          .thresholds = run.thresholds(),
          .stage = stage};
}

std::string manifest_json(const ManifestFacts& facts) {
  using Json = nlohmann::ordered_json;
  utsname name{};
  ::uname(&name);
  const ProcessIdentity controller = identify_process(::getpid());
  Json incident = nullptr;
  if (facts.incident != nullptr)
    incident = {{"id", facts.incident->id()},
                {"class", class_of(*facts.incident)},
                {"signature",
                 facts.incident->explanation ? facts.incident->explanation->signature : "unknown"}};
  Json thresholds = nullptr;
  if (facts.thresholds) thresholds = Json::parse(thresholds_json(*facts.thresholds));
  return Json{{"schema", 1},
              {"run", facts.run},
              {"state", stage_name(facts.stage)},
              {"directory", facts.directory},
              {"node", node_name()},
              {"kernel", name.release},
              {"boot_id", boot_id()},
              {"controller", {{"pid", controller.pid}, {"start_ticks", controller.start_ticks}}},
              {"started", facts.started},
              {"labels", facts.labels},
              {"tool_version", std::string(tool_version())},
              {"on_stall", facts.policy},
              {"thresholds", thresholds},
              {"written", format_rfc3339(realtime_now())},
              {"incident", incident}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string manifest_line(const ManifestFacts& facts) {
  std::string line = fmt::format("stallproof: run={} boot={}", facts.run, boot_id());
  if (facts.incident != nullptr)
    line += fmt::format(" incident={} class={}", facts.incident->id(), class_of(*facts.incident));
  return line;
}

}  // namespace stallproof
