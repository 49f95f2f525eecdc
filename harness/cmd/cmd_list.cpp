// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "harness/cmd/command.h"
#include "harness/cmd/stdout_text.h"
#include "harness/detect/catalogue.h"
#include "harness/scenario/catalogue.h"
#include "harness/scenario/signature_match.h"
#include "workloads/catalogue.h"

namespace stallproof {
namespace {

struct Row {
  std::string name;
  std::string summary;
  bool quiet = false;  // of a variant or fix: it must not stall
};
using Rows = std::vector<Row>;

void append(Rows& rows, std::string_view kind, const Scenario& scenario) {
  for (const Named& variant : scenario.variants)
    rows.push_back({fmt::format("  --variant {}", variant.name),
                    fmt::format("{}{}", variant.summary, variant.quiet ? " (stays quiet)" : ""),
                    variant.quiet});
  for (const Named& fix : scenario.fixes)
    rows.push_back({fmt::format("  --fix {}", fix.name), std::string(fix.summary), true});
  for (const ScenarioParameter& parameter : scenario.params)
    rows.push_back({fmt::format("  {} {}={}", kind, parameter.name, parameter.fallback),
                    std::string(parameter.summary)});
}

Rows scenario_rows() {
  Rows rows;
  for (const Scenario& scenario : scenarios()) {
    rows.push_back(
        {std::string(scenario.id),
         fmt::format("{} ({}; {})", scenario.summary, scenario.where, scenario.expected_class)});
    append(rows, "--param", scenario);
  }
  return rows;
}

Rows workload_rows() {
  Rows rows;
  for (const WorkloadInfo& workload : workload_catalogue()) {
    rows.push_back({std::string(workload.name), std::string(workload.summary)});
    for (const WorkloadParameter& parameter : workload.parameters)
      rows.push_back({fmt::format("  {}={}", parameter.name, parameter.fallback),
                      std::string(parameter.help)});
    for (const WorkloadChoice& choice : workload.choices)
      rows.push_back(
          {fmt::format("  {}={}", choice.parameter, choice.value), std::string(choice.summary)});
  }
  return rows;
}

Rows detector_rows() {
  Rows rows;
  for (const DetectorInfo& detector : kDetectors)
    rows.push_back({std::string(detector.name), std::string(detector.summary)});
  return rows;
}

std::string maker(const Scenario& scenario, const Named& variant) {
  const bool first = variant.name == scenario.variants.front().name;
  return first ? fmt::format("made by repro {}", scenario.id)
               : fmt::format("made by repro {} --variant {}", scenario.id, variant.name);
}

Rows signature_rows() {
  Rows rows;
  for (const Scenario& scenario : scenarios())
    for (const Named& variant : scenario.variants) {
      const auto plan = plan_scenario(scenario, {.variant = std::string(variant.name)});
      if (!plan || variant.quiet) continue;
      for (const std::string& signature : known_signatures(*plan))
        rows.push_back({signature, maker(scenario, variant)});
    }
  return rows;
}

Result<int> run(const std::string& what, bool json, const std::string& out) {
  Rows rows;
  if (what == "scenarios")
    rows = scenario_rows();
  else if (what == "workloads")
    rows = workload_rows();
  else if (what == "detectors")
    rows = detector_rows();
  else if (what == "signatures")
    rows = signature_rows();
  else
    return fail(fmt::format(
        "cannot list '{}' (one of: scenarios, workloads, detectors, signatures)", what));
  std::string text;
  if (json) {
    auto list = nlohmann::ordered_json::array();
    for (const Row& row : rows) {
      const auto begin = row.name.find_first_not_of(' ');
      list.push_back({{"name", row.name.substr(begin)}, {"summary", row.summary}});
      if (row.quiet) list.back()["quiet"] = true;
    }
    text = list.dump(2) + "\n";
  } else {
    for (const Row& row : rows) text += fmt::format("{:<38} {}\n", row.name, row.summary);
  }
  if (auto written = write_result(text, out); !written) return Failure(written.error());
  return 0;
}

}  // namespace

RunCommand add_list(CLI::App& app) {
  const auto what = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  app.add_option("WHAT", *what, "scenarios, workloads, detectors or signatures")->required();
  const auto out = std::make_shared<std::string>();
  app.add_option("-o,--out", *out, kPrintedInto);
  app.add_flag("--json", *json, "Print one JSON document");
  return [what, json, out] { return run(*what, *json, *out); };
}

}  // namespace stallproof
