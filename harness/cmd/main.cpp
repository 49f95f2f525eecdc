// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>

#include "harness/cmd/command.h"
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
    Command{"run", "Run a plan, a load on a mount of yours, or vdbench's parameter files", add_run},
    Command{"init", "Write a plan to begin with, fitted to a directory", add_init},
    Command{"vdbench", "Run vdbench's parameter files as vdbench does, without the JVM",
            add_vdbench},
    Command{"list", "List scenarios, workloads, detectors or signatures", add_list},
    Command{"doctor", "Say what this machine can do and what each lack costs", add_doctor},
    Command{"help", "Explain exit codes", add_help},
};

int report(const Error& error) {
  say_on_stderr(error.what);
  return exit_code_of(error);
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

int run_command(const RunCommand& run) {
  const auto code = run();
  return code ? *code : report(code.error());
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"Stress reproduction and regression harness for storage stalls", "stallproof"};
  app.set_version_flag("--version", std::string("stallproof ") + SP_VERSION);
  app.require_subcommand(1);
  std::map<const CLI::App*, RunCommand> runs;
  for (const Command& command : kCommands) {
    CLI::App* const sub = app.add_subcommand(command.name, command.summary);
    runs[sub] = command.add(*sub);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    say_on_stderr(fmt::format(
        "{} (see stallproof {}--help)", error.what(),
        app.get_subcommands().empty() ? "" : app.get_subcommands()[0]->get_name() + " "));
    return 2;
  }
  return run_command(runs[app.get_subcommands().front()]);
}

}  // namespace

int exit_code_of(const Error& error) {
  switch (error.origin) {
    case Origin::user:
      return 2;
    case Origin::infra:
      return 3;
    case Origin::lacking:
      return 77;
  }
  return 3;
}

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
