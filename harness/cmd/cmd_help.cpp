// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/cmd/command.h"
#include "harness/cmd/stdout_text.h"

namespace stallproof {
namespace {

constexpr const char* kExitCodes =
    "0    pass: for repro, reproduced and explained as the scenario promises; with --expect "
    "quiet,\n"
    "     nothing stalled although the hazard was entered\n"
    "1    expectation not met: not reproduced, or stalled where quiet was expected\n"
    "2    usage, plan or environment error that you can mend\n"
    "3    verdict unknown or infrastructure failed: explained otherwise, a process of ours lost,\n"
    "     the hazard never entered, sight impaired, interrupted; explain: input understood in "
    "part\n"
    "77   repro, record and doctor only: this machine lacks the means (the reason is printed)\n"
    "When several apply: 2, then 1, then 3.\n";

}  // namespace

RunCommand add_help(CLI::App& app) {
  const auto topic = std::make_shared<std::string>("exit-codes");
  app.add_option("TOPIC", *topic, "exit-codes")->capture_default_str();
  return [topic]() -> Result<int> {
    if (*topic != "exit-codes")
      return fail(fmt::format("no help on '{}' (one of: exit-codes)", *topic));
    if (auto written = write_stdout(kExitCodes); !written) return Failure(written.error());
    return 0;
  };
}

}  // namespace stallproof
