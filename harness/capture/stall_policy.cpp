// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/stall_policy.h"

namespace stallproof {

const char* policy_name(OnStall on_stall) {
  switch (on_stall) {
    case OnStall::report:
      return "report";
    case OnStall::sysrq:
      return "sysrq";
    case OnStall::panic:
      return "panic";
  }
  return "report";
}

CrashDecision decide_crash(const CrashFacts& facts) {
  if (facts.policy.on_stall != OnStall::panic) return {CrashStep::none, "not asked for"};
  if (facts.decided) return {CrashStep::none, "once per run"};
  if (!facts.standing) return {CrashStep::none, "nothing stands"};
  if (!facts.failing) return {CrashStep::none, "the stall is no failing one"};
  if (facts.marked) return {CrashStep::none, "inside a marked window"};
  if (!facts.policy.allow_crash) return {CrashStep::refuse, "no --allow-crash"};
  if (facts.evidence_due) return {CrashStep::wait, "its evidence is being taken"};
  if (!facts.means_lacking.empty()) return {CrashStep::refuse, facts.means_lacking};
  return {CrashStep::crash, {}};
}

}  // namespace stallproof
