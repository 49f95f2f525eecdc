// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

// One line for each scenario, in the order of `list scenarios`.
#define SP_SCENARIOS(ROW)      \
  ROW(kMmapLockFault)          \
  ROW(kMmapLockMunmap)         \
  ROW(kMmapLockMapfixed)       \
  ROW(kMmapLockDirectMmap)     \
  ROW(kVmaLockMkwrite)         \
  ROW(kVmaLockFreeze)          \
  ROW(kFuseServerHung)         \
  ROW(kFuseSelfMount)          \
  ROW(kFuseAuditCmdline)       \
  ROW(kFuseSlowLookup)         \
  ROW(kLoopOnDeadFuse)         \
  ROW(kIoUringSilent)          \
  ROW(kFsFrozen)               \
  ROW(kExecStuck)              \
  ROW(kUffdUnresolved)         \
  ROW(kIoThrottled)            \
  ROW(kCpuStarved)             \
  ROW(kUserspaceLock)          \
  ROW(kStopped)                \
  ROW(kFrozenCgroup)           \
  ROW(kKmodMmapLock)           \
  ROW(kKmodHoldMmapRead)       \
  ROW(kKmodHoldMmapWrite)      \
  ROW(kKmodHoldRwsemRead)      \
  ROW(kKmodHoldRwsemWrite)     \
  ROW(kKmodHoldMutex)          \
  ROW(kKmodHoldSemaphore)      \
  ROW(kKmodHoldCompletion)     \
  ROW(kKmodHoldSleep)          \
  ROW(kKmodHoldSpin)           \
  ROW(kDmSuspended)            \
  ROW(kJbd2Commit)             \
  ROW(kBlkTimeout)             \
  ROW(kNbdDead)                \
  ROW(kNfsServerGone)          \
  ROW(kControlFirstTryFault)   \
  ROW(kControlVfork)           \
  ROW(kControlRateLimitedIdle) \
  ROW(kControlDag)

namespace stallproof {

#define SP_DECLARE(scenario) extern const Scenario scenario;
SP_SCENARIOS(SP_DECLARE)
#undef SP_DECLARE

namespace {

std::span<const Scenario> table() {
#define SP_ROW(scenario) scenario,
  static const std::array all{SP_SCENARIOS(SP_ROW)};
#undef SP_ROW
  return all;
}

template <class Items>
Result<> must_be_one_of(std::string_view what, const std::string& word, const Items& items) {
  std::vector<std::string_view> names;
  for (const auto& item : items) names.push_back(item.name);
  if (std::find(names.begin(), names.end(), word) != names.end()) return {};
  return fail(fmt::format("unknown {} '{}' (one of: {})", what, word, fmt::join(names, ", ")));
}

}  // namespace

std::span<const Scenario> scenarios() { return table(); }

Result<const Scenario*> find_scenario(std::string_view id) {
  std::vector<std::string_view> ids;
  for (const Scenario& scenario : scenarios()) {
    if (scenario.id == id) return &scenario;
    ids.push_back(scenario.id);
  }
  return fail(fmt::format("unknown scenario '{}' (one of: {})", id, fmt::join(ids, ", ")));
}

Result<LabPlan> plan_scenario(const Scenario& scenario, const ScenarioRequest& request) {
  ScenarioRequest full = request;
  if (full.variant.empty() && !scenario.variants.empty())
    full.variant = std::string(scenario.variants.front().name);
  if (auto known = must_be_one_of("variant", full.variant, scenario.variants); !known)
    return Failure(known.error());
  if (!full.fix.empty()) {
    if (auto known = must_be_one_of("fix", full.fix, scenario.fixes); !known)
      return Failure(known.error());
  }
  std::vector<std::string> names;
  for (const ScenarioParameter& parameter : scenario.params) names.emplace_back(parameter.name);
  if (auto known = full.params.refuse_unknown(names); !known) return Failure(known.error());
  for (const ScenarioParameter& parameter : scenario.params) {
    const std::string name(parameter.name);
    if (!full.params.has(name)) full.params.set(name, std::string(parameter.fallback));
  }
  auto plan = scenario.plan(full);
  if (plan) plan->params = full.params;
  return plan;
}

}  // namespace stallproof
