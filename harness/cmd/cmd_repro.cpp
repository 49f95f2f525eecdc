// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/base/units.h"
#include "harness/cmd/command.h"
#include "harness/cmd/outlet_words.h"
#include "harness/cmd/policy_words.h"
#include "harness/cmd/repro_from.h"
#include "harness/cmd/thresholds.h"
#include "harness/run/repro.h"

namespace stallproof {
namespace {

struct ReproWords {
  std::string scenario, variant, fix, expect, deadline, out;
  std::vector<std::string> from;
  std::string smallest_within = "60s";
  ThresholdWords thresholds;
  PolicyWords policy;
  OutletWords outlets;
  std::vector<std::string> params, labels, fs_files;
  bool hold = false, json = false, json_lines = false, quiet = false;
};

Result<Expectation> read_expectation(const std::string& word) {
  if (word.empty()) return Expectation::none;
  if (word == "stall") return Expectation::stall;
  if (word == "quiet") return Expectation::quiet;
  return fail(fmt::format("--expect: '{}' is not known (one of: stall, quiet)", word));
}

Result<ReproOptions> read_options(const ReproWords& words) {
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

// What --from has no use for: it makes many runs, and none of them is followed.
const char* said_outlet(const ReproWords& words) {
  const OutletWords& outlets = words.outlets;
  return !outlets.listen.empty()              ? "--listen"
         : !outlets.linger.empty()            ? "--linger"
         : !outlets.textfile.empty()          ? "--textfile"
         : outlets.notify.command.has_value() ? "--notify"
         : words.json_lines                   ? "--json-lines"
                                              : nullptr;
}

Result<int> run_from(const ReproWords& words, const ReproOptions& options) {
  if (!words.scenario.empty())
    return fail(fmt::format("repro: give {} or --from, not both", words.scenario));
  if (words.hold || !words.expect.empty() || !words.fix.empty())
    return fail(
        "repro: --hold, --expect and --fix are for a scenario that is named, not for --from");
  if (const char* const word = said_outlet(words); word != nullptr)
    return fail(fmt::format("repro: {} is for a scenario that is named, not for --from", word));
  const auto within = parse_duration(words.smallest_within);
  if (!within) return fail("--smallest-within: " + within.error().what);
  return run_repro_from({.files = words.from,
                         .repro = options,
                         .smallest_within = *within,
                         .json = words.json,
                         .quiet = words.quiet});
}

Result<int> run(const ReproWords& words) {
  auto options = read_options(words);
  if (!options) return Failure(options.error());
  if (!words.from.empty()) return run_from(words, *options);
  if (words.scenario.empty())
    return fail("repro: which stall? (see stallproof list scenarios; --from for a reported one)");
  Console console({.quiet = words.quiet, .json = words.json, .json_lines = words.json_lines});
  const ListenerOptions listeners{.json_lines = words.json_lines,
                                  .stall_after = options->thresholds.stall_after};
  return with_outlets(words.outlets, console, listeners, [&](const RunFeed& feed) {
    options->feed = &feed;
    return run_repro(*options, console);
  });
}

}  // namespace

RunCommand add_repro(CLI::App& app) {
  const auto words = std::make_shared<ReproWords>();
  app.add_option("SCENARIO", words->scenario, "Which stall (see: stallproof list scenarios)");
  app.add_option("--from", words->from,
                 "A reported stall (incident, capture, saved text, kernel log, vmcore): made again "
                 "by the scenario with its signature, and compared")
      ->expected(1, 64);
  app.add_option("--smallest-within", words->smallest_within,
                 "With --from: how long the fewest threads that still stall are looked for; 0s: "
                 "not at all")
      ->capture_default_str();
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
  add_outlet_options(app, words->outlets);
  app.add_option("--label", words->labels, "KEY=VALUE kept in the verdict; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--fs", words->fs_files,
                 "File that says what a file system's function names mean; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--hold", words->hold,
               "Leave the deadlock standing until Enter, Ctrl-C or the deadline");
  app.add_option("-o,--out", words->out, "Directory for the results");
  app.add_flag("--json", words->json, "Print verdict.json on stdout and nothing else");
  app.add_flag("--json-lines", words->json_lines,
               "Print one JSON object a line: every event, figures once a second, at the end the "
               "verdict; and nothing else")
      ->excludes("--json");
  app.add_flag("--quiet", words->quiet, "Print the result only");
  return [words] { return run(*words); };
}

}  // namespace stallproof
