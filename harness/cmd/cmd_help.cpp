// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/cmd/command.h"
#include "harness/cmd/exit_codes.h"
#include "harness/cmd/stdout_text.h"

namespace stallproof {

RunCommand add_help(CLI::App& app) {
  const auto topic = std::make_shared<std::string>("exit-codes");
  app.add_option("TOPIC", *topic, "exit-codes")->capture_default_str();
  return [topic]() -> Result<int> {
    if (*topic != "exit-codes")
      return fail(fmt::format("no help on '{}' (one of: exit-codes)", *topic));
    if (auto written = write_stdout(exit_codes_text()); !written) return Failure(written.error());
    return 0;
  };
}

}  // namespace stallproof
