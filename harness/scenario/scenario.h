// SPDX-License-Identifier: Apache-2.0
// A scenario: a real stall on demand. It says what to run (loads, target, misbehaviour) and what
// must come of it; the controller runs it. One file and one line in catalogue.cpp each.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/settings.h"
#include "harness/board/service_panel.h"

namespace stallproof {

struct Named {
  std::string_view name;
  std::string_view summary;
};

struct ScenarioParameter {
  std::string_view name;
  std::string_view fallback;
  std::string_view summary;
};

struct ScenarioRequest {
  std::string variant;  // empty: the first one
  std::string fix;      // empty: none
  Settings params;
};

// What the controller has to start, decided from a request.
struct LabPlan {
  struct Load {
    std::string name;  // in workloads/catalogue
    std::uint32_t threads;
  };
  std::vector<Load> loads;
  Settings worker;                         // words for the worker process
  Settings ffs;                            // words for the ffs process
  Behaviour behaviour = Behaviour::plain;  // armed after the warm-up
  Settings params;                         // as run: what was asked for and the fallbacks
  std::uint64_t seed = 1;
  Nanos warmup = 2 * kSecond;
  std::string expected_class;
  std::vector<std::string> expected_signatures;  // any of them; the first is the usual one
  bool has_hazard = true;                        // quiet counts only where the hazard was entered
};

struct Scenario {
  std::string_view id;
  std::string_view summary;
  std::string_view where;  // "host" or "VM"
  std::string_view expected_class;
  std::span<const Named> variants;
  std::span<const Named> fixes;
  std::span<const ScenarioParameter> params;
  Result<LabPlan> (*plan)(const ScenarioRequest&);
};

// Refuses unknown variants, fixes and parameters, listing the valid ones; then asks the scenario.
Result<LabPlan> plan_scenario(const Scenario& scenario, const ScenarioRequest& request);

}  // namespace stallproof
