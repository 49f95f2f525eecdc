// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/parsed_words.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>

namespace stallproof {
namespace {

// Nobody is told; runs without a build; words of somebody else's command.
constexpr std::array<std::string_view, 3> kMayBeEmpty{"--notify", "--build", "COMMAND"};

Result<> refuse_empty_values(const CLI::App& app, const std::string& names) {
  for (const CLI::Option* option : app.get_options()) {
    const auto& values = option->results();
    if (std::find(values.begin(), values.end(), "") == values.end()) continue;
    if (std::find(kMayBeEmpty.begin(), kMayBeEmpty.end(), option->get_name()) != kMayBeEmpty.end())
      continue;
    return fail(fmt::format("{}: {}: the value is empty (say one, or leave it out)", names,
                            option->get_name(false, true)));
  }
  for (const CLI::App* below : app.get_subcommands())
    if (auto good = refuse_empty_values(*below, names + " " + below->get_name()); !good)
      return good;
  return {};
}

}  // namespace

std::string parse_refusal(const CLI::App& app, const CLI::ParseError& error) {
  std::string names, why = error.what();
  for (const CLI::App* level = &app; level != nullptr;) {
    const auto unknown = level->remaining();
    if (level->get_require_subcommand_min() > 0 && !unknown.empty()) {
      why = fmt::format("unknown {} '{}{}'", unknown[0].starts_with('-') ? "option" : "command",
                        names, unknown[0]);
      break;
    }
    const auto below = level->get_subcommands();
    level = below.empty() ? nullptr : below.front();
    if (level != nullptr) names += level->get_name() + " ";
  }
  return fmt::format("{} (see stallproof {}--help)", why, names);
}

Result<> refuse_empty_values(const CLI::App& command) {
  return refuse_empty_values(command, command.get_name());
}

void add_quiet(CLI::App& command) {
  if (command.get_option_no_throw("--quiet") == nullptr)
    command.add_flag("--quiet")->description(
        "No progress and no side remarks on stderr; the result, errors and what limits the result "
        "are told as ever");
  for (CLI::App* const below : command.get_subcommands({})) add_quiet(*below);
}

bool is_quiet(const CLI::App& command) {
  const auto below = command.get_subcommands();
  return command.count("--quiet") > 0 ||
         std::any_of(below.begin(), below.end(),
                     [](const CLI::App* each) { return is_quiet(*each); });
}

}  // namespace stallproof
