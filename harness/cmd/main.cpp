// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <string_view>

#include "harness/base/privileges.h"
#include "harness/base/version.h"
#include "harness/cmd/command.h"
#include "harness/cmd/exit_codes.h"
#include "harness/cmd/parsed_words.h"
#include "harness/cmd/stdout_text.h"

namespace stallproof {
namespace {

constexpr std::array kCommands{
    Command{"repro", "Make a known stall happen, catch it, explain it, heal it", add_repro},
    Command{"watch", "Put somebody else's load under the watchdog", add_watch},
    Command{"record", "Record what a process does to its memory map, to replay it", add_record},
    Command{"capture", "The node is stuck now: evidence and explanation, without hanging",
            add_capture},
    Command{"explain", "Explain a stall: the one on this machine now, or saved crash text",
            add_explain},
    Command{"show", "Time line and explanation of a run as text", add_show},
    Command{"report", "One page about a run, to hand on: HTML, Markdown, JSON", add_report},
    Command{"judge", "Judge saved runs again with other thresholds, changing nothing", add_judge},
    Command{"run", "Run a plan, a night, a load on a mount of yours, or vdbench's parameter files",
            add_run},
    Command{"init", "Write a night or a plan to begin with, fitted to directories", add_init},
    Command{"vdbench", "Run vdbench's parameter files as vdbench does, without the JVM",
            add_vdbench},
    Command{"gate", "May we ship? One answer of many runs, with an exit code to trust", add_gate},
    Command{"merge", "Results of many nodes, one verdict and one report", add_merge},
    Command{"mark", "Write into a running run what is being done to it, and what may stall",
            add_mark},
    Command{"history", "What earlier runs showed: list, show, compare, trend, export, rebuild",
            add_history},
    Command{"postmortem", "After a crash or a kill: find what it left, and close the run's verdict",
            add_postmortem},
    Command{"list", "List scenarios, workloads, detectors or signatures", add_list},
    Command{"doctor", "Say what this machine can do and what each lack costs", add_doctor},
    Command{"help", "Explain exit codes", add_help},
};

// They read run directories, which may come from anywhere, and write files. `explain` decides by
// itself: it may be asked for the machine as it is now.
constexpr std::array<std::string_view, 9> kFilesOnly{"show",    "report", "judge", "gate", "mark",
                                                     "history", "merge",  "list",  "help"};

int report(const Error& error, const CLI::App& command) {
  say_on_stderr(error.what);
  return exit_code_of(error, command.get_name());
}

// Descriptors 0 to 2 that came closed would be given to files of ours, and messages be written
// there.
void fill_standard_descriptors() {
  int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  while (fd >= 0 && fd <= STDERR_FILENO) {
    ::fcntl(fd, F_SETFD, 0);
    fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  }
  if (fd >= 0) ::close(fd);
}

int run_command(const CLI::App& command, const RunCommand& run) {
  if (auto good = refuse_empty_values(command); !good) return report(good.error(), command);
  leave_out_remarks(is_quiet(command));
  const auto code = run();
  return code ? *code : report(code.error(), command);
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"Stress reproduction and regression harness for storage stalls", "stallproof"};
  app.set_version_flag("--version", fmt::format("stallproof {}", tool_version()));
  app.require_subcommand(1);
  std::map<const CLI::App*, RunCommand> runs;
  for (const Command& command : kCommands) {
    CLI::App* const sub = app.add_subcommand(command.name, command.summary);
    runs[sub] = command.add(*sub);
    add_quiet(*sub);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    say_on_stderr(parse_refusal(app, error));
    return 2;
  }
  const CLI::App* const chosen = app.get_subcommands().front();
  if (std::find(kFilesOnly.begin(), kFilesOnly.end(), chosen->get_name()) != kFilesOnly.end())
    work_with_files_only();
  return run_command(*chosen, runs[chosen]);
}

}  // namespace

}  // namespace stallproof

int main(int argc, char** argv) {
  stallproof::fill_standard_descriptors();
  // A reader of our output that goes away must not kill a run half way.
  ::signal(SIGPIPE, SIG_IGN);
  if (argc > 2 && std::strcmp(argv[1], "child") == 0) return stallproof::run_child_role(argc, argv);
  try {
    return stallproof::parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    stallproof::say_on_stderr(error.what());
    return 3;
  }
}
