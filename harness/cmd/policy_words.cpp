// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/policy_words.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace stallproof {

void add_policy_options(CLI::App& app, PolicyWords& words) {
  app.add_option("--on-stall", words.on_stall,
                 "report; sysrq: also ask the kernel for its blocked tasks at every stall; panic: "
                 "also crash this machine into kdump at the first failing stall")
      ->capture_default_str();
  app.add_flag("--allow-crash", words.allow_crash, "Leave for --on-stall panic, which needs it");
}

Result<StallPolicy> read_policy(const PolicyWords& words) {
  for (const OnStall each : {OnStall::report, OnStall::sysrq, OnStall::panic})
    if (words.on_stall == policy_name(each))
      return StallPolicy{.on_stall = each, .allow_crash = words.allow_crash};
  return fail(
      fmt::format("--on-stall: '{}' is not known (one of: report, sysrq, panic)", words.on_stall));
}

}  // namespace stallproof
