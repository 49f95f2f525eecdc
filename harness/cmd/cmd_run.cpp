// SPDX-License-Identifier: Apache-2.0
// Our own verdict and exit codes for a load: given by a plan, by vdbench's parameter files, or by
// nothing but the directory that it shall run in.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "harness/base/settings.h"
#include "harness/cmd/command.h"
#include "harness/cmd/plan_words.h"
#include "harness/cmd/policy_words.h"
#include "harness/cmd/thresholds.h"
#include "harness/run/vdbench/vdbench_run.h"
#include "workloads/vdbench/plan_text.h"

namespace stallproof {
namespace {

struct Words {
  std::vector<std::string> files, labels, fs_files;
  std::string engine = "psync", out, target, duration, size;
  ThresholdWords thresholds;
  PolicyWords policy;
  bool stall_after_given = false, dropout_below_given = false, until_stall = false;
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
    (word.find('=') == std::string::npos ? options.files : options.values).push_back(word);
  }
  if (options.files.empty())
    return fail("run: nothing to run (give a plan, a parameter file or --target DIRECTORY)");
  const auto thresholds = read_thresholds(words.thresholds, 30 * kSecond);
  if (!thresholds) return Failure(thresholds.error());
  options.thresholds = *thresholds;
  const auto policy = read_policy(words.policy);
  if (!policy) return Failure(policy.error());
  options.policy = *policy;
  const auto labels = Settings::from_words(words.labels);
  if (!labels) return fail("--label: " + labels.error().what);
  options.labels = labels->all();
  return options;
}

bool is_plan(const std::string& word) { return word.ends_with(".toml"); }

// What belongs to the other kind of load is an error: left out in silence it would be missed.
Result<> refuse_words(const std::vector<std::pair<bool, const char*>>& words, const char* kind) {
  for (const auto& [said, word] : words)
    if (said) return fail(fmt::format("run: {} is for {}", word, kind));
  return {};
}

Result<int> run_plan_file(const Words& words) {
  if (words.files.size() > 1)
    return fail(fmt::format("run: {}: one plan at a time, and nothing beside it",
                            words.files[is_plan(words.files[0]) ? 1 : 0]));
  const auto refused = refuse_words({{words.no_jvm, "--no-jvm"},
                                     {words.lenient, "--lenient"},
                                     {words.allow_claimed, "--allow-claimed-device"},
                                     {words.engine != "psync", "--engine io_uring"}},
                                    "vdbench's parameter files");
  if (!refused) return Failure(refused.error());
  return run_plan_words({.file = words.files.empty() ? "" : words.files[0],
                         .target = words.target,
                         .duration = words.duration,
                         .size = words.size,
                         .out = words.out,
                         .until_stall = words.until_stall,
                         .dry_run = words.dry_run,
                         .json = words.json,
                         .quiet = words.quiet,
                         .labels = words.labels,
                         .fs_files = words.fs_files,
                         .thresholds = words.thresholds,
                         .policy = words.policy,
                         .stall_after_given = words.stall_after_given,
                         .dropout_below_given = words.dropout_below_given});
}

Result<int> run_parameter_files(const Words& words) {
  const auto refused = refuse_words({{!words.target.empty(), "--target"},
                                     {!words.duration.empty(), "--duration"},
                                     {!words.size.empty(), "--size"},
                                     {words.until_stall, "--until-stall"}},
                                    "plans (PLAN.toml) and a directory of your own");
  if (!refused) return Failure(refused.error());
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

Result<int> run(const Words& words) {
  const bool own_mount = words.files.empty() && !words.target.empty();
  if (own_mount || std::any_of(words.files.begin(), words.files.end(), is_plan))
    return run_plan_file(words);
  return run_parameter_files(words);
}

void add_plan_options(CLI::App& app, Words& words) {
  app.add_option("--target", words.target,
                 "Directory under test. Without a file: direct I/O, mapped faults and a JVM's "
                 "memory map run there, in a directory of their own");
  app.add_option("--duration", words.duration, "How long to run (default: the plan's, or 60s)");
  app.add_option("--size", words.size,
                 "Most bytes of files on the target (default: 1g, less where space is short)");
  app.add_flag("--until-stall", words.until_stall,
               "End with the first stall; without --duration there is no other end");
}

}  // namespace

RunCommand add_run(CLI::App& app) {
  const auto words = std::make_shared<Words>();
  app.add_option("FILE", words->files,
                 "A plan (PLAN.toml), or vdbench parameter files and name=value for $name in them");
  add_plan_options(app, *words);
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
  add_policy_options(app, words->policy);
  app.add_option("--label", words->labels, "KEY=VALUE kept in the verdict; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--fs", words->fs_files,
                 "File that says what a file system's function names mean; may be repeated")
      ->allow_extra_args(false);
  app.add_option("-o,--out", words->out, "Directory for the results");
  app.add_flag("--json", words->json, "Print verdict.json on stdout and nothing else");
  app.add_flag("--quiet", words->quiet, "Print the result only");
  return [words, &app] {
    words->stall_after_given = app.count("--stall-after") > 0;
    words->dropout_below_given = app.count("--dropout-below") > 0;
    return run(*words);
  };
}

}  // namespace stallproof
