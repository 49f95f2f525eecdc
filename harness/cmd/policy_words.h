// SPDX-License-Identifier: Apache-2.0
// --on-stall and --allow-crash, the same for every command that has a watchdog.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/capture/stall_policy.h"

namespace CLI {
class App;
}

namespace stallproof {

struct PolicyWords {
  std::string on_stall = "report";
  bool allow_crash = false;
};

void add_policy_options(CLI::App& app, PolicyWords& words);
Result<StallPolicy> read_policy(const PolicyWords& words);

}  // namespace stallproof
