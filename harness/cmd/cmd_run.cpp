// SPDX-License-Identifier: Apache-2.0
// Our own verdict and exit codes for a load: given by a plan, by vdbench's parameter files, or by
// nothing but the directory that it shall run in.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "harness/base/settings.h"
#include "harness/cmd/canary_words.h"
#include "harness/cmd/command.h"
#include "harness/cmd/night_words.h"
#include "harness/cmd/outlet_words.h"
#include "harness/cmd/plan_words.h"
#include "harness/cmd/policy_words.h"
#include "harness/cmd/stdout_text.h"
#include "harness/cmd/thresholds.h"
#include "harness/run/vdbench/vdbench_run.h"
#include "workloads/vdbench/plan_text.h"

namespace stallproof {
namespace {

struct RunWords {
  std::vector<std::string> files, labels, fs_files;
  std::string engine = "psync", out, target, duration, size, canary;
  ThresholdWords thresholds;
  PolicyWords policy;
  OutletWords outlets;
  bool stall_after_given = false, dropout_below_given = false, until_stall = false;
  bool preflight = false, accept_unclean = false;
  bool dry_run = false, no_jvm = false, lenient = false, allow_claimed = false;
  bool json = false, json_lines = false, quiet = false;
};

Result<VdbenchOptions> read_options(const RunWords& words) {
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
  const auto canary = read_canary_wish(words.canary);
  if (!canary) return Failure(canary.error());
  options.canary = *canary;
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

Result<int> run_plan_file(const RunWords& words) {
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
                         .canary = words.canary,
                         .until_stall = words.until_stall,
                         .dry_run = words.dry_run,
                         .json = words.json,
                         .json_lines = words.json_lines,
                         .quiet = words.quiet,
                         .labels = words.labels,
                         .fs_files = words.fs_files,
                         .thresholds = words.thresholds,
                         .policy = words.policy,
                         .outlets = words.outlets,
                         .stall_after_given = words.stall_after_given,
                         .dropout_below_given = words.dropout_below_given});
}

Result<int> run_parameter_files(const RunWords& words) {
  const auto refused = refuse_words({{!words.target.empty(), "--target"},
                                     {!words.duration.empty(), "--duration"},
                                     {!words.size.empty(), "--size"},
                                     {words.until_stall, "--until-stall"}},
                                    "plans (PLAN.toml) and a directory of your own");
  if (!refused) return Failure(refused.error());
  auto options = read_options(words);
  if (!options) return Failure(options.error());
  const auto plan = plan_parameter_files(options->files, options->values, options->plan);
  if (!plan) return Failure(plan.error());
  Console console({.quiet = words.quiet, .json = words.json, .json_lines = words.json_lines});
  if (!plan->ignored.empty())
    remark_on_stderr(fmt::format("ignored: {}", fmt::join(plan->ignored, "= ")));
  if (words.dry_run) {
    if (auto written = write_stdout(plan_text(*plan)); !written) return Failure(written.error());
    return 0;
  }
  const ListenerOptions listeners{.json_lines = words.json_lines,
                                  .stall_after = options->thresholds.stall_after,
                                  .rows_on_stdout = true};
  return with_outlets(words.outlets, console, listeners, [&](const RunFeed& feed) {
    options->feed = &feed;
    return run_vdbench(*options, *plan, console);
  });
}

// A night says the rest itself, in its file.
Result<int> run_night_file(const RunWords& words) {
  const auto said_in_file = refuse_words({{!words.size.empty(), "--size"},
                                          {!words.canary.empty(), "--canary"},
                                          {words.until_stall, "--until-stall"},
                                          {words.json_lines, "--json-lines"},
                                          {!words.fs_files.empty(), "--fs"},
                                          {words.no_jvm, "--no-jvm"},
                                          {words.lenient, "--lenient"},
                                          {words.allow_claimed, "--allow-claimed-device"},
                                          {words.engine != "psync", "--engine"},
                                          {words.stall_after_given, "--stall-after"},
                                          {!words.thresholds.fail_after.empty(), "--fail-after"},
                                          {words.dropout_below_given, "--dropout-below"},
                                          {!words.thresholds.without.empty(), "--without"},
                                          {words.policy.on_stall != "report", "--on-stall"},
                                          {words.policy.allow_crash, "--allow-crash"},
                                          {!words.outlets.listen.empty(), "--listen"},
                                          {!words.outlets.linger.empty(), "--linger"},
                                          {!words.outlets.textfile.empty(), "--textfile"},
                                          {words.outlets.notify.command.has_value(), "--notify"}},
                                         "one run: of a night the file says it");
  if (!said_in_file) return Failure(said_in_file.error());
  return run_night_words({.file = words.files[0],
                          .target = words.target,
                          .duration = words.duration,
                          .out = words.out,
                          .labels = words.labels,
                          .accept_unclean = words.accept_unclean,
                          .dry_run = words.dry_run,
                          .json = words.json,
                          .quiet = words.quiet});
}

Result<int> run(const RunWords& words) {
  if (words.dry_run && (words.json || words.json_lines))
    return fail(fmt::format("run: --dry-run prints the plan as text, not JSON: leave out {}",
                            words.json ? "--json" : "--json-lines"));
  if (words.files.size() == 1 && is_plan(words.files[0]) && is_night_file(words.files[0]))
    return run_night_file(words);
  if ((words.preflight || words.accept_unclean) && !words.dry_run)
    if (auto clean = refuse_unclean_node(words.accept_unclean); !clean)
      return Failure(clean.error());
  const bool own_mount = words.files.empty() && !words.target.empty();
  if (own_mount || std::any_of(words.files.begin(), words.files.end(), is_plan))
    return run_plan_file(words);
  return run_parameter_files(words);
}

void add_plan_options(CLI::App& app, RunWords& words) {
  app.add_option("--target", words.target,
                 "Directory under test. Without a file: direct I/O, mapped faults and a JVM's "
                 "memory map run there, in a directory of their own");
  app.add_option("--duration", words.duration, "How long to run (default: the plan's, or 60s)");
  app.add_option("--size", words.size,
                 "Most bytes of files on the target (default: 1g, less where space is short)");
  app.add_option("--canary", words.canary,
                 "yes, try or no: make a known stall before and after the load, on a place of its "
                 "own, to prove that one would be seen; without the means for it yes is refused, "
                 "and with try the run is unknown (default: the plan's, or try from 60s on)")
      ->check(CLI::IsMember({"yes", "try", "no"}));
  app.add_flag("--until-stall", words.until_stall,
               "End with the first stall; without --duration there is no other end");
}

}  // namespace

RunCommand add_run(CLI::App& app) {
  const auto words = std::make_shared<RunWords>();
  app.add_option("FILE", words->files,
                 "A plan (PLAN.toml; nightly.toml: a night), or vdbench parameter files and "
                 "name=value for $name in them");
  add_plan_options(app, *words);
  app.add_option("--engine", words->engine,
                 "Of vdbench's parameter files. psync: one thread and system call for each I/O in "
                 "flight, as vdbench; io_uring: one ring for each file with registered buffers, "
                 "which hides stalls that need a page lookup for each I/O")
      ->check(CLI::IsMember({"psync", "io_uring"}))
      ->capture_default_str();
  app.add_flag(
      "--no-jvm", words->no_jvm,
      "Of vdbench's parameter files: without what a JVM does to its memory map beside the I/O");
  app.add_flag(
      "--lenient", words->lenient,
      "Of vdbench's parameter files: leave out what is planned and not executed, instead of "
      "ending");
  app.add_flag(
      "--allow-claimed-device", words->allow_claimed,
      "Of vdbench's parameter files: also use a device that is mounted or otherwise in use");
  app.add_flag("--preflight", words->preflight,
               "Look at the node first: one that is not clean (a task that has hung for 60s, what "
               "an earlier run left, a kernel that would crash or say nothing) ends with 3. A "
               "night does so by itself");
  app.add_flag("--accept-unclean", words->accept_unclean,
               "Look, name what is not clean, and go on");
  app.add_flag(
      "--dry-run", words->dry_run,
      "Print the plan that would be run (as TOML; of vdbench's files in their own lines) and end");
  add_threshold_options(app, words->thresholds,
                        "30s; tasks found waiting in a circle fail at once");
  add_policy_options(app, words->policy);
  add_outlet_options(app, words->outlets);
  app.add_option("--label", words->labels, "KEY=VALUE kept in the verdict; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--fs", words->fs_files,
                 "File that says what a file system's function names mean; may be repeated")
      ->allow_extra_args(false);
  app.add_option("-o,--out", words->out, "Directory for the results");
  app.add_flag("--json", words->json, "Print verdict.json on stdout and nothing else");
  app.add_flag("--json-lines", words->json_lines,
               "Print one JSON object a line: every event, figures once a second, at the end the "
               "verdict; and nothing else")
      ->excludes("--json");
  app.add_flag("--quiet", words->quiet, "Print the result only");
  return [words, &app] {
    words->stall_after_given = app.count("--stall-after") > 0;
    words->dropout_below_given = app.count("--dropout-below") > 0;
    return run(*words);
  };
}

}  // namespace stallproof
