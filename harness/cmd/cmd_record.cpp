// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/base/units.h"
#include "harness/cmd/command.h"
#include "harness/run/record.h"

namespace stallproof {
namespace {

struct RecordWords {
  RecordOptions options;
  std::string duration;
  bool json = false, quiet = false;
};

Result<int> run(const RecordWords& words) {
  RecordOptions options = words.options;
  if (options.command.empty() == !options.pid.has_value())
    return fail("record: name one process: --pid N or -- COMMAND…");
  if (options.pid && *options.pid <= 0)
    return fail(fmt::format("--pid: {} is no process number", *options.pid));
  if (!words.duration.empty()) {
    const auto duration = parse_duration(words.duration);
    if (!duration) return fail("--duration: " + duration.error().what);
    if (*duration == 0) return fail("--duration: 0 is too short");
    options.duration = *duration;
  }
  // stdout is the command's own, unless it is promised to carry JSON and nothing else.
  Console console(
      {.quiet = words.quiet, .aside = !options.command.empty() && !words.json, .json = words.json});
  return run_record(options, console);
}

}  // namespace

RunCommand add_record(CLI::App& app) {
  const auto words = std::make_shared<RecordWords>();
  app.add_option("COMMAND", words->options.command, "What to run and record, after --");
  app.add_option("--pid", words->options.pid,
                 "Record this process, not those that it started (numbers of this namespace)");
  app.add_option("--duration", words->duration,
                 "Record for so long (default: until it ends, or Ctrl-C)");
  app.add_option("-o,--out", words->options.out,
                 "File for the profile; it must not exist (default: a new one in the state "
                 "directory)");
  app.add_flag("--force", words->options.force,
               "Replace the file when it exists (a pipe or device is written to)");
  app.add_flag("--json", words->json,
               "One JSON document on stdout and nothing else (the command's own goes to stderr)");
  app.add_flag("--quiet", words->quiet, "Print the name of the profile only");
  return [words] { return run(*words); };
}

}  // namespace stallproof
