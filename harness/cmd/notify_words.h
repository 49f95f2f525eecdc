// SPDX-License-Identifier: Apache-2.0
// --notify CMD, the same for every command that has a watchdog; plans say it as a list of words.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace CLI {
class App;
}

namespace stallproof {

struct NotifyWords {
  std::optional<std::string> command;  // absent: not said
};

void add_notify_option(CLI::App& app, NotifyWords& words);

// A program and its words, split at blanks; '…' keeps all within as it is, "…" all but \" and \\, a
// backslash outside the next character. Nothing is expanded: no variables, patterns or pipes.
Result<std::vector<std::string>> split_command(const std::string& text);

// What is to be run: the command line's words, else the plan's; the program as the absolute path of
// what PATH finds. Empty: nobody is notified. An Error when it cannot be run.
Result<std::vector<std::string>> notify_command(const NotifyWords& words,
                                                const std::vector<std::string>& of_plan = {});

}  // namespace stallproof
