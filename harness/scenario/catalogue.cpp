// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace stallproof {

extern const Scenario kBlkTimeout;
extern const Scenario kControlDag;
extern const Scenario kControlFirstTryFault;
extern const Scenario kControlRateLimitedIdle;
extern const Scenario kControlVfork;
extern const Scenario kCpuStarved;
extern const Scenario kDmSuspended;
extern const Scenario kExecStuck;
extern const Scenario kFrozenCgroup;
extern const Scenario kFsFrozen;
extern const Scenario kFuseAuditCmdline;
extern const Scenario kFuseSelfMount;
extern const Scenario kFuseServerHung;
extern const Scenario kFuseSlowLookup;
extern const Scenario kIoThrottled;
extern const Scenario kIoUringSilent;
extern const Scenario kJbd2Commit;
extern const Scenario kKmodHoldCompletion;
extern const Scenario kKmodHoldMmapRead;
extern const Scenario kKmodHoldMmapWrite;
extern const Scenario kKmodHoldMutex;
extern const Scenario kKmodHoldRwsemRead;
extern const Scenario kKmodHoldRwsemWrite;
extern const Scenario kKmodHoldSemaphore;
extern const Scenario kKmodHoldSleep;
extern const Scenario kKmodMmapLock;
extern const Scenario kLoopOnDeadFuse;
extern const Scenario kMmapLockDirectMmap;
extern const Scenario kMmapLockFault;
extern const Scenario kMmapLockMapfixed;
extern const Scenario kMmapLockMunmap;
extern const Scenario kNbdDead;
extern const Scenario kNfsServerGone;
extern const Scenario kStopped;
extern const Scenario kUffdUnresolved;
extern const Scenario kUserspaceLock;
extern const Scenario kVmaLockFreeze;
extern const Scenario kVmaLockMkwrite;

namespace {

std::span<const Scenario> table() {
  static const std::array all{kMmapLockFault,
                              kMmapLockMunmap,
                              kMmapLockMapfixed,
                              kMmapLockDirectMmap,
                              kVmaLockMkwrite,
                              kVmaLockFreeze,
                              kFuseServerHung,
                              kFuseSelfMount,
                              kFuseAuditCmdline,
                              kFuseSlowLookup,
                              kLoopOnDeadFuse,
                              kIoUringSilent,
                              kFsFrozen,
                              kExecStuck,
                              kUffdUnresolved,
                              kIoThrottled,
                              kCpuStarved,
                              kUserspaceLock,
                              kStopped,
                              kFrozenCgroup,
                              kKmodMmapLock,
                              kKmodHoldMmapRead,
                              kKmodHoldMmapWrite,
                              kKmodHoldRwsemRead,
                              kKmodHoldRwsemWrite,
                              kKmodHoldMutex,
                              kKmodHoldSemaphore,
                              kKmodHoldCompletion,
                              kKmodHoldSleep,
                              kDmSuspended,
                              kJbd2Commit,
                              kBlkTimeout,
                              kNbdDead,
                              kNfsServerGone,
                              kControlFirstTryFault,
                              kControlVfork,
                              kControlRateLimitedIdle,
                              kControlDag};
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
