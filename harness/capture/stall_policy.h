// SPDX-License-Identifier: Apache-2.0
// What is done about an incident beside the report of it, by --on-stall, and the one decision that
// cannot be taken back: whether the machine is panicked into kdump now. Pure.
#pragma once

#include <string>

namespace stallproof {

enum class OnStall { report, sysrq, panic };

struct StallPolicy {
  OnStall on_stall = OnStall::report;
  bool allow_crash = false;
};

const char* policy_name(OnStall on_stall);

// What is known when the question is asked, again and again while an incident stands.
struct CrashFacts {
  StallPolicy policy;
  bool standing = false;      // an incident is there and has not resolved
  bool failing = false;       // it lasts for fail_after, or its circle is confirmed
  bool marked = false;        // inside a window in which a mark allows stalls
  bool decided = false;       // crashed or refused before: once per run
  bool evidence_due = false;  // what the policy takes before is not all taken yet
  std::string means_lacking;  // why a panic would leave nothing (crash_means.h)
};

enum class CrashStep {
  none,    // not asked for, or not now
  wait,    // soon: only evidence is missing, the stall is to be left standing
  refuse,  // asked for and due, but not done; `reason` says why
  crash,
};

struct CrashDecision {
  CrashStep step = CrashStep::none;
  std::string reason;
};

CrashDecision decide_crash(const CrashFacts& facts);

}  // namespace stallproof
