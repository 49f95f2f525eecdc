// SPDX-License-Identifier: Apache-2.0
// What is the same for the words of every command, once they are parsed. Pure.
#pragma once

#include <string>

#include "harness/base/result.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace stallproof {

// Why the words were not understood, in one line: an unknown command or option by its name.
std::string parse_refusal(const CLI::App& app, const CLI::ParseError& error);

// An Error when a given option or argument is empty, where that means nothing: taken for one that
// was not given, it would ask for something else.
Result<> refuse_empty_values(const CLI::App& command);

// --quiet, where a command has none of its own; and that of its subcommands.
void add_quiet(CLI::App& command);
bool is_quiet(const CLI::App& command);

}  // namespace stallproof
