// SPDX-License-Identifier: Apache-2.0
// vdbench's own command line: -f a b, -e60 or -e 60, -vr, name=value, and what follows a '+'. It
// ends with 0 or with vdbench's 157.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "harness/base/settings.h"
#include "harness/cmd/canary_words.h"
#include "harness/cmd/command.h"
#include "harness/cmd/outlet_words.h"
#include "harness/cmd/stdout_text.h"
#include "harness/cmd/vdbench_words.h"
#include "harness/run/vdbench/vdbench_run.h"
#include "workloads/vdbench/plan.h"
#include "workloads/vdbench/plan_text.h"

namespace stallproof {
namespace {

constexpr int kFailed = 157;  // exit(-99), which wrappers test for

constexpr const char* kHelp =
    "  -f FILE…       parameter files, taken as one\n"
    "  -o DIR         where the results go (default: output); DIR+ takes the next free number\n"
    "  -s             say what would be run, in vdbench's own lines, and end\n"
    "  -e S, -i S, -w S   elapsed, interval and warmup of every run, in seconds\n"
    "  -v, -vr, -vw, -vt, -j  with data validation\n"
    "  -co, -cy, -cn  every format only, yes, no\n"
    "  name=value     replaces $name and !name in the files\n"
    "  + rd=words     added to every run definition that stands on one line\n"
    "  --engine psync|io_uring  one thread and system call for each I/O in flight, as vdbench\n"
    "                 (default), or one ring for each SD with registered buffers: faster, but the\n"
    "                 stalls that need a page lookup for each I/O cannot happen then\n"
    "  --no-jvm       without what a JVM does to its memory map beside the I/O\n"
    "  --lenient      leave out what is planned and not executed, instead of ending\n"
    "  --canary yes|try|no  make a known stall before and after the runs, on a place of its own,\n"
    "                 to prove that one would be seen (default: try from 60 s of runs on: goes on\n"
    "                 where the means are lacking); it is told in verdict.json and changes no "
    "exit\n"
    "                 code of vdbench\n"
    "  --allow-claimed-device  also a device that is mounted or otherwise in use\n"
    "  --stall-after T, --fail-after T (30s), --dropout-below R, --label K=V, --fs FILE\n"
    "  --on-stall report|sysrq|panic, --allow-crash  what is done at a stall beside the report\n"
    "  --json         verdict.json on stdout instead of vdbench's own lines\n"
    "  --listen ADDR:PORT, --linger T, --textfile FILE  metrics for Prometheus\n"
    "  --notify CMD   is given one JSON object at a stall, its end and the verdict\n"
    "Any error ends with 157, as vdbench does, and so does an I/O that never completes.";

Result<VdbenchOptions> options_of(const VdbenchWords& words) {
  VdbenchOptions options{.files = words.files,
                         .values = words.values,
                         .plan = words.options,
                         .out = words.output,
                         .jvm = !words.no_jvm,
                         .lenient = words.lenient,
                         .allow_claimed = words.allow_claimed,
                         .fs_files = words.fs_files};
  if (words.engine != "psync" && words.engine != "io_uring")
    return fail(fmt::format("--engine {}: psync or io_uring", words.engine));
  if (words.engine == "io_uring") options.engine = IoEngine::uring;
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

Result<int> plan_and_run(const VdbenchWords& given) {
  leave_out_remarks(given.quiet);
  auto options = options_of(given);
  if (!options) return Failure(options.error());
  const auto plan = plan_parameter_files(given.files, given.values, given.options);
  if (!plan) return Failure(plan.error());
  std::vector<std::string> ignored = given.ignored;
  for (const std::string& keyword : plan->ignored) ignored.push_back(keyword + "=");
  if (!ignored.empty()) remark_on_stderr(fmt::format("ignored: {}", fmt::join(ignored, " ")));
  if (given.simulate) {
    if (given.json) return fail("vdbench: -s prints the plan as text, not JSON: leave out --json");
    if (auto written = write_stdout(plan_text(*plan)); !written) return Failure(written.error());
    return 0;
  }
  Console console({.undrawn = given.quiet, .json = given.json});
  const ListenerOptions listeners{.stall_after = options->thresholds.stall_after,
                                  .rows_on_stdout = true};
  return with_outlets(given.outlets, console, listeners, [&](const RunFeed& feed) {
    options->feed = &feed;
    return run_vdbench(*options, *plan, console);
  });
}

// --quiet may stand before vdbench's words or among them.
Result<int> run(const std::vector<std::string>& words, bool quiet) {
  auto given = read_vdbench_words(words);
  if (given) given->quiet |= quiet;
  const auto ended = given ? plan_and_run(*given) : Result<int>(Failure(given.error()));
  if (ended) return ended;
  say_on_stderr(ended.error().what);
  return kFailed;
}

}  // namespace

RunCommand add_vdbench(CLI::App& app) {
  app.prefix_command();
  app.footer(kHelp);
  return [&app] { return run(app.remaining(), app.count("--quiet") > 0); };
}

}  // namespace stallproof
