// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/base/result_file.h"
#include "harness/base/units.h"
#include "harness/cmd/command.h"
#include "harness/cmd/stdout_text.h"
#include "harness/merge/merge_forms.h"
#include "harness/merge/merge_save.h"
#include "harness/merge/node_list.h"
#include "harness/run/postmortem/killed_run.h"

namespace stallproof {
namespace {

struct MergeWords {
  std::vector<std::string> runs;
  std::string expected, died, out, junit, summary, within = "1s";
  bool staggered = false, json = false;
};

Result<MergeOptions> options_of(const MergeWords& words) {
  MergeOptions options;
  auto expected = parse_node_list(words.expected, "--expect-nodes");
  if (!expected) return fail("merge: " + expected.error().what);
  options.expected = std::move(*expected);
  if (!words.died.empty()) {
    auto died = parse_node_list(words.died, "--died");
    if (!died) return fail("merge: " + died.error().what);
    options.died = std::move(*died);
  }
  const auto within = parse_duration(words.within);
  if (!within) return fail("merge: --within: " + within.error().what);
  options.staggered = words.staggered;
  options.within_ms = static_cast<double>(*within) / 1e6;
  return options;
}

// What a run that was killed had written down of stalls and work.
void read_unfinished(const std::string& directory, Verdict& verdict) {
  KilledRun killed = read_killed_run(directory);
  verdict.duration_s = killed.last_ms / 1e3;
  verdict.stalls = judged_stalls(killed, RunEnd::cannot_tell);
  verdict.workloads = std::move(killed.workloads);
}

Result<> write_elsewhere(const MergeWords& words, const SavedMerge& saved, const RunDir& run) {
  if (!words.junit.empty())
    if (auto kept = replace_file(words.junit, saved.junit); !kept)
      return fail("merge: --junit: " + kept.error().what);
  if (!words.summary.empty())
    if (auto kept = append_to_file(words.summary, saved.markdown); !kept)
      return fail("merge: --summary-md: " + kept.error().what);
  if (!run.first_problem().empty()) return fail("merge: " + run.first_problem(), Origin::infra);
  return {};
}

Result<int> run(const MergeWords& words) {
  const auto options = options_of(words);
  if (!options) return Failure(options.error());
  auto merged = merge_nodes(read_node_results(words.runs, read_unfinished), *options);
  if (!merged) return Failure(merged.error());
  auto place = RunDir::create({.out = words.out, .name_stem = "merge", .labels = {}});
  if (!place) return fail("merge: " + place.error().what, place.error().origin);
  const SavedMerge saved = save_merge(*merged, words.expected, *place);
  // A failed node is worth more than a place that could not be written to.
  const int worst = merged->exit_code == 1 ? 1 : 3;
  if (auto kept = write_elsewhere(words, saved, *place); !kept) {
    say_on_stderr(kept.error().what);
    return worst;
  }
  const auto told = write_stdout(words.json ? saved.verdict : merge_text(*merged, place->path()));
  if (told) return merged->exit_code;
  say_on_stderr(told.error().what);
  return worst;
}

}  // namespace

RunCommand add_merge(CLI::App& app) {
  const auto words = std::make_shared<MergeWords>();
  app.add_option("RUN", words->runs, "Run directories, one of each node")->required();
  app.add_option("--expect-nodes", words->expected,
                 "Nodes that must have a result, as Slurm writes them: n1,n2 or node[01-20]")
      ->required();
  app.add_option("--died", words->died,
                 "Of these, nodes that whoever started them saw die (Slurm: NODE_FAIL)");
  app.add_option("--within", words->within,
                 "Stalls of several nodes that begin so near are told as one (default: 1s)");
  app.add_flag("--staggered", words->staggered,
               "Nodes may have run at quite different times: a result that is more than 12 hours "
               "apart from the others is not taken for one of another night");
  app.add_option("-o,--out", words->out,
                 "Where to write it (default: a new directory named by time)");
  app.add_option("--junit", words->junit, "Write the JUnit XML there too");
  app.add_option("--summary-md", words->summary,
                 "Append the result as Markdown (for example to $GITHUB_STEP_SUMMARY)");
  app.add_flag("--json", words->json, "One JSON document on stdout and nothing else");
  app.footer(
      "Exit codes: 0 every expected node passed; 1 failing stall, wrong data, or a node that "
      "died;\n"
      "2 usage, and two results of one node; 3 not known: a node without a result, or with one of\n"
      "another build, plan or stallproof, cut short, or unknown itself");
  return [words] { return run(*words); };
}

}  // namespace stallproof
