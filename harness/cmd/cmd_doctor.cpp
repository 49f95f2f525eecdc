// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cmd/command.h"
#include "harness/cmd/doctor_checks.h"
#include "harness/cmd/stdout_text.h"

namespace stallproof {
namespace {

const char* ability_word(Ability ability) {
  switch (ability) {
    case Ability::there:
      return "ok";
    case Ability::lacking:
      return "lacking";
    case Ability::warning:
      return "warning";
    case Ability::not_tested:
      return "untested";
  }
  return "lacking";
}

std::string json_text(const std::vector<DoctorRow>& rows) {
  auto list = nlohmann::ordered_json::array();
  for (const DoctorRow& row : rows)
    list.push_back({{"name", row.name},
                    {"ability", ability_word(row.ability)},
                    {"finding", row.finding},
                    {"cost", row.cost}});
  using Json = nlohmann::ordered_json;
  return Json{{"schema", 1}, {"checks", list}}.dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string plain_text(const std::vector<DoctorRow>& rows) {
  std::string text;
  for (const DoctorRow& row : rows) {
    text += fmt::format("{:<8} {:<22} {}\n", ability_word(row.ability), row.name, row.finding);
    if (!row.cost.empty()) text += fmt::format("{:<31} -> {}\n", "", row.cost);
  }
  return text;
}

Result<int> run(const std::string& target, bool json, const std::string& out) {
  std::vector<DoctorRow> of_target;
  if (!target.empty()) {
    auto checked = check_target(target);
    if (!checked) return Failure(checked.error());
    of_target = std::move(*checked);
    for (DoctorRow& row : check_loads(target, of_target)) of_target.push_back(std::move(row));
  }
  std::vector<DoctorRow> rows = check_machine();
  for (DoctorRow& row : of_target) rows.push_back(std::move(row));
  if (auto written = write_result(json ? json_text(rows) : plain_text(rows), out); !written)
    return Failure(written.error());
  for (const DoctorRow& row : rows)
    if (row.repro_needs_it && row.ability != Ability::there) return 77;
  return 0;
}

}  // namespace

RunCommand add_doctor(CLI::App& app) {
  const auto target = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  app.add_option("--target", *target,
                 "Also look at this directory: file system, O_DIRECT, mappings, room, loads");
  const auto out = std::make_shared<std::string>();
  app.add_option("-o,--out", *out, kPrintedInto);
  app.add_flag("--json", *json, "Print one JSON document");
  return [target, json, out] { return run(*target, *json, *out); };
}

}  // namespace stallproof
