// SPDX-License-Identifier: Apache-2.0
// Which of the loads of `run --target DIR` will work in a directory.
#include <fmt/format.h>

#include <algorithm>

#include "harness/cmd/doctor_checks.h"
#include "harness/run/plan/target_plan.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kMebibyte = 1ULL << 20U;

DoctorRow space_row(const TargetLook& look) {
  const auto plan = plan_for_target(look, {.name = "doctor", .size = std::nullopt});
  if (!plan)
    return {"space there", Ability::lacking, plan.error().what, "run --target is refused", false};
  return {"space there", Ability::there,
          fmt::format("{} MiB free; run --target takes {} of them", look.free_bytes / kMebibyte,
                      plan->size / kMebibyte),
          "", false};
}

// What a load needs, by the row that tried it.
DoctorRow load_row(const std::string& load, const std::string& needed,
                   const std::vector<DoctorRow>& tried) {
  const auto found = std::find_if(tried.begin(), tried.end(),
                                  [&needed](const DoctorRow& row) { return row.name == needed; });
  const bool untested = found == tried.end() || found->ability == Ability::not_tested;
  if (untested)
    return {load, Ability::not_tested, fmt::format("not tested: see {}", needed), "", false};
  if (found->ability == Ability::there) return {load, Ability::there, "will run", "", false};
  return {load, Ability::lacking, fmt::format("will not run: {}", found->finding),
          "run --target ends with an error: write a plan without it (stallproof init)", false};
}

}  // namespace

std::vector<DoctorRow> check_loads(const std::string& directory,
                                   const std::vector<DoctorRow>& tried) {
  std::vector<DoctorRow> rows;
  const auto look = look_at_target(directory);
  if (look)
    rows.push_back(space_row(*look));
  else
    rows.push_back(
        {"space there", Ability::lacking, look.error().what, "run --target is refused", false});
  rows.push_back(load_row("load direct-io", "O_DIRECT there", tried));
  rows.push_back(load_row("load mapped-fault", "shared mapping there", tried));
  rows.push_back({"load mprotect-storm", Ability::there, "will run: needs no file", "", false});
  return rows;
}

}  // namespace stallproof
