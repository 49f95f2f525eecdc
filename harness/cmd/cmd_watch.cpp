// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/base/settings.h"
#include "harness/base/units.h"
#include "harness/cmd/canary_words.h"
#include "harness/cmd/command.h"
#include "harness/cmd/outlet_words.h"
#include "harness/cmd/policy_words.h"
#include "harness/cmd/thresholds.h"
#include "harness/run/watch.h"

namespace stallproof {
namespace {

struct WatchWords {
  std::vector<std::string> command, labels, fs_files;
  std::string mount, cgroup, duration, give_up_after = "10s", vdbench_output, canary, out;
  std::optional<int> pid;
  ThresholdWords thresholds;
  PolicyWords policy;
  OutletWords outlets;
  bool json = false, json_lines = false, quiet = false;
};

Result<> check_one_target(const WatchWords& words) {
  const int named = (words.command.empty() ? 0 : 1) + (words.pid ? 1 : 0) +
                    (words.mount.empty() ? 0 : 1) + (words.cgroup.empty() ? 0 : 1);
  if (named == 1) return {};
  return fail("watch: name one target: --pid N, --mount DIR, --cgroup PATH or -- COMMAND…");
}

Result<WatchOptions> read_options(const WatchWords& words) {
  if (auto one = check_one_target(words); !one) return Failure(one.error());
  WatchOptions options{.command = words.command,
                       .pid = words.pid,
                       .mount = words.mount,
                       .cgroup = words.cgroup,
                       .vdbench_output = words.vdbench_output,
                       .json = words.json || words.json_lines,
                       .out = words.out,
                       .fs_files = words.fs_files};
  if (options.pid && *options.pid <= 0)
    return fail(fmt::format("--pid: {} is no process number", *options.pid));
  const auto thresholds = read_thresholds(words.thresholds, 30 * kSecond);
  if (!thresholds) return Failure(thresholds.error());
  options.thresholds = *thresholds;
  const auto policy = read_policy(words.policy);
  if (!policy) return Failure(policy.error());
  options.policy = *policy;
  const auto canary = read_canary_wish(words.canary);
  if (!canary) return Failure(canary.error());
  options.canary = *canary;
  const auto give_up_after = parse_duration(words.give_up_after);
  if (!give_up_after) return fail("--give-up-after: " + give_up_after.error().what);
  options.give_up_after = *give_up_after;
  const auto labels = Settings::from_words(words.labels);
  if (!labels) return fail("--label: " + labels.error().what);
  options.labels = labels->all();
  if (words.duration.empty()) return options;
  const auto duration = parse_duration(words.duration);
  if (!duration) return fail("--duration: " + duration.error().what);
  options.duration = *duration;
  return options;
}

Result<int> run(const WatchWords& words) {
  auto options = read_options(words);
  if (!options) return Failure(options.error());
  // stdout is the command's own, unless it is promised to carry JSON and nothing else.
  Console console({.quiet = words.quiet,
                   .aside = !words.command.empty() && !words.json && !words.json_lines,
                   .json = words.json,
                   .json_lines = words.json_lines});
  const ListenerOptions listeners{.json_lines = words.json_lines,
                                  .stall_after = options->thresholds.stall_after,
                                  .terminal_is_shared = !words.command.empty()};
  return with_outlets(words.outlets, console, listeners, [&](const RunFeed& feed) {
    options->feed = &feed;
    return run_watch(*options, console);
  });
}

}  // namespace

RunCommand add_watch(CLI::App& app) {
  const auto words = std::make_shared<WatchWords>();
  app.add_option("COMMAND", words->command, "What to run and watch, after --");
  app.add_option("--pid", words->pid, "Watch this process and all that descend from it");
  app.add_option("--mount", words->mount,
                 "Watch the processes that have a file of this mount open");
  app.add_option("--cgroup", words->cgroup,
                 "Watch the processes of this cgroup (a path below /sys/fs/cgroup)");
  app.add_option("--duration", words->duration, "Watch for so long (default: until it ends)");
  add_threshold_options(app, words->thresholds,
                        "30s; tasks found waiting in a circle fail at once");
  add_policy_options(app, words->policy);
  add_outlet_options(app, words->outlets);
  app.add_option("--give-up-after", words->give_up_after,
                 "Leave when a failing stall has stood for so long; the command is left running")
      ->capture_default_str();
  app.add_option(
         "--canary", words->canary,
         "yes, try or no: make a known stall before and after the watching, on a place of "
         "its own, to prove that one would be seen; the command waits for the first; without "
         "the means yes is refused, and with try the verdict is unknown (default: no)")
      ->check(CLI::IsMember({"yes", "try", "no"}));
  app.add_option("--vdbench-output", words->vdbench_output,
                 "Directory of vdbench's own output: its rows go on the same time line");
  app.add_option("--label", words->labels, "KEY=VALUE kept in the verdict; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--fs", words->fs_files,
                 "File that says what a file system's function names mean; may be repeated")
      ->allow_extra_args(false);
  app.add_option("-o,--out", words->out, "Directory for the results");
  app.add_flag("--json", words->json,
               "Print verdict.json on stdout and nothing else (the command's own goes to stderr)");
  app.add_flag("--json-lines", words->json_lines,
               "Print one JSON object a line: every event, figures once a second, at the end the "
               "verdict; and nothing else")
      ->excludes("--json");
  app.add_flag("--quiet", words->quiet, "Print the result only");
  return [words] { return run(*words); };
}

}  // namespace stallproof
