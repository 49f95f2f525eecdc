// SPDX-License-Identifier: Apache-2.0
// Our own verdict and exit codes for a load. So far the load is given by vdbench parameter files.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/base/settings.h"
#include "harness/cmd/command.h"
#include "harness/cmd/thresholds.h"
#include "harness/run/vdbench/vdbench_run.h"
#include "workloads/vdbench/plan_text.h"

namespace stallproof {
namespace {

struct Words {
  std::vector<std::string> files, labels, fs_files;
  std::string engine = "psync", out;
  ThresholdWords thresholds;
  bool dry_run = false, no_jvm = false, lenient = false, allow_claimed = false;
  bool json = false, quiet = false;
};

Result<VdbenchOptions> read_options(const Words& words) {
  VdbenchOptions options{.out = words.out,
                         .engine = words.engine == "io_uring" ? IoEngine::uring : IoEngine::psync,
                         .jvm = !words.no_jvm,
                         .lenient = words.lenient,
                         .allow_claimed = words.allow_claimed,
                         .vdbench_codes = false,
                         .json = words.json,
                         .fs_files = words.fs_files};
  for (const std::string& word : words.files) {
    if (word.ends_with(".toml"))
      return fail(
          fmt::format("run: {}: plans are not read yet, vdbench parameter files are", word));
    (word.find('=') == std::string::npos ? options.files : options.values).push_back(word);
  }
  if (options.files.empty()) return fail("run: no parameter file");
  const auto thresholds = read_thresholds(words.thresholds, 30 * kSecond);
  if (!thresholds) return Failure(thresholds.error());
  options.thresholds = *thresholds;
  const auto labels = Settings::from_words(words.labels);
  if (!labels) return fail("--label: " + labels.error().what);
  options.labels = labels->all();
  return options;
}

Result<int> run(const Words& words) {
  const auto options = read_options(words);
  if (!options) return Failure(options.error());
  const auto plan = plan_parameter_files(options->files, options->values, options->plan);
  if (!plan) return Failure(plan.error());
  Console console({.quiet = words.quiet, .json = words.json});
  if (!plan->ignored.empty())
    console.problem(fmt::format("ignored: {}", fmt::join(plan->ignored, "= ")));
  if (words.dry_run) {
    console.block(plan_text(*plan));
    return 0;
  }
  return run_vdbench(*options, *plan, console);
}

}  // namespace

RunCommand add_run(CLI::App& app) {
  const auto words = std::make_shared<Words>();
  app.add_option("PARMFILE", words->files,
                 "vdbench parameter files, and name=value for $name in them")
      ->required();
  app.add_option("--engine", words->engine,
                 "psync: one thread and system call for each I/O in flight, as vdbench; io_uring: "
                 "one ring for each file with registered buffers, which hides stalls that need a "
                 "page lookup for each I/O")
      ->check(CLI::IsMember({"psync", "io_uring"}))
      ->capture_default_str();
  app.add_flag("--no-jvm", words->no_jvm,
               "Without what a JVM does to its memory map beside the I/O");
  app.add_flag("--lenient", words->lenient,
               "Leave out what is planned and not executed, instead of ending");
  app.add_flag("--allow-claimed-device", words->allow_claimed,
               "Also use a device that is mounted or otherwise in use");
  app.add_flag("--dry-run", words->dry_run, "Say what would be run and end");
  add_threshold_options(app, words->thresholds,
                        "30s; tasks found waiting in a circle fail at once");
  app.add_option("--label", words->labels, "KEY=VALUE kept in the verdict; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--fs", words->fs_files,
                 "File that says what a file system's function names mean; may be repeated")
      ->allow_extra_args(false);
  app.add_option("-o,--out", words->out, "Directory for the results");
  app.add_flag("--json", words->json, "Print verdict.json on stdout and nothing else");
  app.add_flag("--quiet", words->quiet, "Print the result only");
  return [words] { return run(*words); };
}

}  // namespace stallproof
