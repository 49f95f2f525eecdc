// SPDX-License-Identifier: Apache-2.0
// The list of stalls that somebody knows of and takes upon himself until a day: they are told and
// do not fail a gate. TOML:
//   [[known]]
//   signature = "mmap_lock_cycle:fault_read>mprotect_write>service_read"
//   reason = "JIRA-4711, fixed in 3.3"
//   until = 2026-12-31
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct KnownStall {
  std::string signature;  // the whole of it: there are no patterns
  std::string reason;
  std::string until;  // YYYY-MM-DD, the last day it counts
};

// Errors name source:line:column and the key. A signature that stands for "not explained" is
// refused, as it would cover whatever comes.
Result<std::vector<KnownStall>> parse_known_stalls(const std::string& text,
                                                   const std::string& source);
Result<std::vector<KnownStall>> read_known_stalls(const std::string& path);

// Local date, YYYY-MM-DD.
std::string today();

}  // namespace stallproof
