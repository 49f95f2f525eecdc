// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cmd/command.h"
#include "harness/cmd/doctor_checks.h"

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
  }
  return "lacking";
}

void print_json(const std::vector<DoctorRow>& rows) {
  auto list = nlohmann::ordered_json::array();
  for (const DoctorRow& row : rows)
    list.push_back({{"name", row.name},
                    {"ability", ability_word(row.ability)},
                    {"finding", row.finding},
                    {"cost", row.cost}});
  fmt::print("{}\n", nlohmann::ordered_json{{"schema", 1}, {"checks", list}}.dump(2));
}

void print_text(const std::vector<DoctorRow>& rows) {
  for (const DoctorRow& row : rows) {
    fmt::print("{:<8} {:<22} {}\n", ability_word(row.ability), row.name, row.finding);
    if (!row.cost.empty()) fmt::print("{:<31} -> {}\n", "", row.cost);
  }
}

Result<int> run(const std::string& target, bool json) {
  std::vector<DoctorRow> rows = check_machine();
  if (!target.empty())
    for (DoctorRow& row : check_target(target)) rows.push_back(std::move(row));
  if (json)
    print_json(rows);
  else
    print_text(rows);
  for (const DoctorRow& row : rows)
    if (row.repro_needs_it && row.ability != Ability::there) return 77;
  return 0;
}

}  // namespace

RunCommand add_doctor(CLI::App& app) {
  const auto target = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  app.add_option("--target", *target,
                 "Also look at this directory: file system, O_DIRECT, mappings");
  app.add_flag("--json", *json, "Print one JSON document");
  return [target, json] { return run(*target, *json); };
}

}  // namespace stallproof
