// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/merge_save.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/file.h"
#include "harness/base/version.h"
#include "harness/merge/activity.h"
#include "harness/merge/each_index.h"
#include "harness/merge/merge_forms.h"
#include "harness/merge/merged_verdict.h"

namespace stallproof {
namespace {

// How long a run without a verdict went on is known from its last second only.
void find_ends(Merged& merged) {
  for_each_index(merged.nodes.size(), [&merged](std::size_t i) {
    MergedNode& node = merged.nodes[i];
    if (node.result.state != NodeState::unfinished || !node.begin_ms) return;
    const double last_ms = read_activity(node.result.directory, {}).last_ms;
    Verdict& verdict = node.result.verdict;
    verdict.duration_s = std::max(verdict.duration_s, last_ms / 1e3);
  });
  for (const MergedNode& node : merged.nodes)
    if (node.begin_ms)
      merged.end_ms =
          std::max(merged.end_ms, *node.begin_ms + node.result.verdict.duration_s * 1e3);
}

std::vector<Activity> read_activities(Merged& merged) {
  std::vector<Activity> activities(merged.nodes.size());
  const double span = std::max(1000.0, merged.end_ms - merged.begin_ms);
  for_each_index(merged.nodes.size(), [&](std::size_t i) {
    const MergedNode& node = merged.nodes[i];
    if (node.begin_ms)
      activities[i] =
          read_activity(node.result.directory, {*node.begin_ms - merged.begin_ms, span});
  });
  for (std::size_t i = 0; i < activities.size(); ++i)
    if (merged.nodes[i].begin_ms && !activities[i].words().empty())
      merged.notes.push_back({merged.nodes[i].name, activities[i].words()});
  return activities;
}

// What all of them ran.
void save_plan(const Merged& merged, RunDir& run) {
  for (const MergedNode& node : merged.nodes) {
    // Of one without a plan nothing was read.
    if (node.standing != Standing::counted || node.result.plan.empty()) continue;
    if (const auto plan = read_file(node.result.directory + "/plan.toml", 1U << 20U))
      return run.save("plan.toml", *plan);
  }
}

void save_evidence(const std::vector<StallEvidence>& evidence, RunDir& run) {
  for (const StallEvidence& each : evidence)
    for (const auto& [name, content] : each.files)
      run.save(fmt::format("incidents/{}/{}", merged_id(each.place), name), content);
}

}  // namespace

SavedMerge save_merge(Merged& merged, const std::string& list, RunDir& run) {
  find_ends(merged);
  const auto activities = read_activities(merged);
  const auto evidence = read_evidence(merged);
  MergedAs as{.run = run.id(), .nodes = list, .tool_version = std::string(tool_version())};
  for (const StallEvidence& each : evidence)
    if (each.files.contains("explanation.json")) as.kept.insert(each.place);
  SavedMerge saved{.verdict = verdict_json(merged_verdict(merged, as)),
                   .junit = merge_junit(merged, evidence),
                   .markdown = merge_markdown(merged, evidence)};
  run.free_reserve();
  run.save("verdict.json", saved.verdict);
  run.save("junit.xml", saved.junit);
  run.save("summary.md", saved.markdown);
  save_evidence(evidence, run);
  save_plan(merged, run);
  run.save("report.html", merge_html(merged, activities, evidence));
  return saved;
}

}  // namespace stallproof
