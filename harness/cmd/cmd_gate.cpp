// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/base/result_file.h"
#include "harness/cmd/command.h"
#include "harness/cmd/stdout_text.h"
#include "harness/gate/gate.h"
#include "harness/gate/gate_forms.h"

namespace stallproof {
namespace {

constexpr int kUnknown = 3;
constexpr int kBisectSkip = 125;

struct GateWords {
  std::vector<std::string> runs, baseline;
  std::string known, junit, summary, out;
  double min_hours = 0, min_effect = 3;
  bool no_canary = false, bisect = false, json = false;
};

Result<std::vector<GatedRun>> gather(const std::vector<std::string>& words, bool rates) {
  std::vector<GatedRun> runs;
  for (const std::string& word : words) {
    auto run = gather_run(word);
    if (!run) return Failure(run.error());
    if (rates) gather_rates(*run);
    runs.push_back(std::move(*run));
  }
  return runs;
}

Result<GateOptions> options_of(const GateWords& words) {
  GateOptions options{.today = today(),
                      .min_hours = words.min_hours,
                      .no_canary = words.no_canary,
                      .min_effect = words.min_effect / 100};
  if (words.known.empty()) return options;
  auto known = read_known_stalls(words.known);
  if (!known) return fail("gate: --known: " + known.error().what);
  options.known = std::move(*known);
  return options;
}

Result<int> judge(const GateWords& words) {
  const bool compare = !words.baseline.empty();
  const auto runs = gather(words.runs, compare);
  if (!runs) return Failure(runs.error());
  const auto baseline = gather(words.baseline, compare);
  if (!baseline) return Failure(baseline.error());
  const auto options = options_of(words);
  if (!options) return Failure(options.error());
  const auto report = judge_gate(*runs, *baseline, *options);
  if (!report) return Failure(report.error());
  if (!words.junit.empty())
    if (auto kept = replace_file(words.junit, gate_junit(*report, *runs)); !kept)
      return fail("gate: --junit: " + kept.error().what);
  if (!words.summary.empty())
    if (auto kept = append_to_file(words.summary, gate_markdown(*report)); !kept)
      return fail("gate: --summary-md: " + kept.error().what);
  const auto told =
      write_result(words.json ? gate_json(*report, *runs) : gate_text(*report), words.out);
  if (!told && !words.out.empty()) return fail("gate: --out: " + told.error().what);
  if (!told) {
    say_on_stderr(told.error().what);
    return report->exit_code == 1 ? 1 : kUnknown;
  }
  return report->exit_code;
}

// What git bisect may not take for a bad commit: anything but a failed gate.
Result<int> run(const GateWords& words) {
  const auto code = judge(words);
  if (!words.bisect) return code;
  if (!code) say_on_stderr(code.error().what);
  return code && *code != kUnknown ? *code : kBisectSkip;
}

// CLI::Range lets it through, and no run has fewer hours than it.
std::string is_a_number(const std::string& given) {
  const auto value = CLI::detail::to_lower(given);
  return value.find("nan") == std::string::npos ? "" : "'" + given + "' is no number";
}

}  // namespace

RunCommand add_gate(CLI::App& app) {
  const auto words = std::make_shared<GateWords>();
  app.add_option("RUN", words->runs, "Run directories, or names of runs, of one build")->required();
  app.add_option(
         "--baseline", words->baseline,
         "Runs of another build, to compare speed with: at least 5 a side, of the same plan "
         "on the same machine, best run in turn")
      ->expected(1, -1);
  app.add_option("--min-effect", words->min_effect,
                 "Smallest change of speed that counts, in percent (default: 3)")
      ->check(is_a_number)
      ->check(CLI::Range(0.0, 90.0));
  app.add_option("--known", words->known,
                 "TOML file of stalls that do not fail: [[known]] signature, reason, until");
  app.add_option("--min-hours", words->min_hours, "Node-hours below which the answer is unknown")
      ->check(is_a_number)
      ->check(CLI::Range(0.0, 1e9));
  app.add_flag("--no-canary", words->no_canary, "Accept runs that had no canary");
  app.add_option("--junit", words->junit, "Write the result as JUnit XML");
  app.add_option("--summary-md", words->summary,
                 "Append the result as Markdown (for example to $GITHUB_STEP_SUMMARY)");
  app.add_flag("--bisect", words->bisect, "For git bisect run: 125 when the answer is unknown");
  app.add_option("-o,--out", words->out, kPrintedInto);
  app.add_flag("--json", words->json, "One JSON document on stdout and nothing else");
  app.footer("Exit codes: 0 pass, 1 failing stall, wrong data or regression, 2 usage, 3 unknown");
  return [words] { return run(*words); };
}

}  // namespace stallproof
