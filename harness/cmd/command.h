// SPDX-License-Identifier: Apache-2.0
// A subcommand: one file, one line in the table of main.cpp. `add` declares its options; the
// returned function runs it after a successful parse and gives the exit code.
#pragma once

#include <functional>
#include <string>

#include "harness/base/result.h"

namespace CLI {
class App;
}

namespace stallproof {

using RunCommand = std::function<Result<int>()>;

struct Command {
  const char* name;
  const char* summary;
  RunCommand (*add)(CLI::App& app);
};

RunCommand add_repro(CLI::App& app);
RunCommand add_watch(CLI::App& app);
RunCommand add_record(CLI::App& app);
RunCommand add_capture(CLI::App& app);
RunCommand add_vdbench(CLI::App& app);
RunCommand add_run(CLI::App& app);
RunCommand add_init(CLI::App& app);
RunCommand add_explain(CLI::App& app);
RunCommand add_show(CLI::App& app);
RunCommand add_gate(CLI::App& app);
RunCommand add_merge(CLI::App& app);
RunCommand add_report(CLI::App& app);
RunCommand add_mark(CLI::App& app);
RunCommand add_judge(CLI::App& app);
RunCommand add_history(CLI::App& app);
RunCommand add_postmortem(CLI::App& app);
RunCommand add_list(CLI::App& app);
RunCommand add_doctor(CLI::App& app);
RunCommand add_help(CLI::App& app);

// A role of one of our own child processes (`stallproof child ROLE WORDS…`); never typed by people.
int run_child_role(int argc, char** argv);

}  // namespace stallproof
