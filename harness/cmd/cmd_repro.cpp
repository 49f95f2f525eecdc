// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/base/units.h"
#include "harness/cmd/command.h"
#include "harness/cmd/policy_words.h"
#include "harness/cmd/thresholds.h"
#include "harness/run/repro.h"

namespace stallproof {
namespace {

struct Words {
  std::string scenario, variant, fix, expect, deadline, out;
  ThresholdWords thresholds;
  PolicyWords policy;
  std::vector<std::string> params, labels, fs_files;
  bool hold = false, json = false, quiet = false;
};

Result<Expectation> read_expectation(const std::string& word) {
  if (word.empty()) return Expectation::none;
  if (word == "stall") return Expectation::stall;
  if (word == "quiet") return Expectation::quiet;
  return fail(fmt::format("--expect: '{}' is not known (one of: stall, quiet)", word));
}

Result<ReproOptions> read_options(const Words& words) {
  ReproOptions options;
  options.scenario = words.scenario;
  options.request.variant = words.variant;
  options.request.fix = words.fix;
  options.hold = words.hold;
  options.out = words.out;
  options.fs_files = words.fs_files;
  const auto params = Settings::from_words(words.params);
  if (!params) return fail("--param: " + params.error().what);
  options.request.params = *params;
  const auto labels = Settings::from_words(words.labels);
  if (!labels) return fail("--label: " + labels.error().what);
  options.labels = labels->all();
  const auto expectation = read_expectation(words.expect);
  if (!expectation) return Failure(expectation.error());
  options.expectation = *expectation;
  // A stall is a failing one from the moment it is one, unless asked otherwise.
  const auto thresholds = read_thresholds(words.thresholds, 0);
  if (!thresholds) return Failure(thresholds.error());
  options.thresholds = *thresholds;
  const auto policy = read_policy(words.policy);
  if (!policy) return Failure(policy.error());
  options.policy = *policy;
  if (words.deadline.empty()) return options;
  const auto deadline = parse_duration(words.deadline);
  if (!deadline) return fail("--deadline: " + deadline.error().what);
  if (*deadline < options.thresholds.stall_after)
    return fail(
        fmt::format("--deadline: {} is shorter than --stall-after {}: no stall could be seen",
                    words.deadline, words.thresholds.stall_after));
  options.deadline = *deadline;
  return options;
}

Result<int> run(const Words& words) {
  const auto options = read_options(words);
  if (!options) return Failure(options.error());
  Console console({.quiet = words.quiet, .json = words.json});
  return run_repro(*options, console);
}

}  // namespace

RunCommand add_repro(CLI::App& app) {
  const auto words = std::make_shared<Words>();
  app.add_option("SCENARIO", words->scenario, "Which stall (see: stallproof list scenarios)")
      ->required();
  app.add_option("--variant", words->variant,
                 "How the stall is brought about (default: the first)");
  app.add_option("--fix", words->fix, "Run with a fix: the stall must not come");
  app.add_option("--param", words->params, "KEY=VALUE of the scenario; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--expect", words->expect, "stall or quiet: what exit code 0 means");
  app.add_option("--deadline", words->deadline,
                 "How long the armed load may run (default 10s, with --hold 10m)");
  add_threshold_options(app, words->thresholds, "--stall-after");
  add_policy_options(app, words->policy);
  app.add_option("--label", words->labels, "KEY=VALUE kept in the verdict; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--fs", words->fs_files,
                 "File that says what a file system's function names mean; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--hold", words->hold,
               "Leave the deadlock standing until Enter, Ctrl-C or the deadline");
  app.add_option("-o,--out", words->out, "Directory for the results");
  app.add_flag("--json", words->json, "Print verdict.json on stdout and nothing else");
  app.add_flag("--quiet", words->quiet, "Print the result only");
  return [words] { return run(*words); };
}

}  // namespace stallproof
