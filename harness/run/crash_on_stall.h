// SPDX-License-Identifier: Apache-2.0
// The machine's panic into kdump as the last step of an incident: first everything is on disk, then
// the kernel log names the run, then the kernel is asked to panic. Controller only.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/capture/stall_policy.h"
#include "harness/run/incident_book.h"

namespace stallproof {

// Before anything begins: what the words of --on-stall and --allow-crash, or this machine, forbid.
// `out`: as -o; empty: the default place.
Result<> check_policy(const StallPolicy& policy, const std::string& out);

struct CrashRequest {
  RunDir& run;
  IncidentBook& book;
  const IncidentRecord& incident;
  Nanos started_ns;
};

// Does not return where the kernel panics; else why it did not.
std::string crash_on_stall(const CrashRequest& request);

}  // namespace stallproof
