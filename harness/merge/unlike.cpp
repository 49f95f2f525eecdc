// SPDX-License-Identifier: Apache-2.0
// Which nodes ran something else than most: their results are no part of the answer.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/gate/load_plan_words.h"
#include "harness/merge/merge.h"

namespace stallproof {
namespace {

using Words = std::map<std::string, std::string>;
// nullopt: the result does not tell.
using WordsOf = std::optional<Words> (*)(const NodeResult& result);

bool is_judged(const NodeResult& result) {
  return result.state == NodeState::finished && !result.died;
}

std::string build_of(const NodeResult& result) {
  const auto found = result.verdict.labels.find("build");
  return found == result.verdict.labels.end() ? "" : found->second;
}

std::optional<Words> build_words(const NodeResult& result) {
  const std::string build = build_of(result);
  // What died early may not have got to say it.
  if (build.empty() && !is_judged(result)) return std::nullopt;
  return Words{{"build", build.empty() ? "no label" : build}};
}

std::optional<Words> version_words(const NodeResult& result) {
  if (result.verdict.tool_version.empty()) return std::nullopt;
  return Words{{"stallproof", result.verdict.tool_version}};
}

std::optional<Words> plan_words(const NodeResult& result) {
  if (result.plan.empty() && !is_judged(result)) return std::nullopt;
  return result.plan;
}

// What the command line set beside the plan.
std::optional<Words> setting_words(const NodeResult& result) {
  if (!is_judged(result)) return std::nullopt;
  const Verdict& verdict = result.verdict;
  StoredRun facts;
  facts.verdict.emplace();
  facts.verdict->scenario = verdict.scenario;
  facts.verdict->target_fstype = verdict.target_fstype;
  // What is watched has numbers of its own on each node.
  if (!verdict.settings.contains("watch")) facts.verdict->settings = verdict.settings;
  Words words = circumstances(facts);
  words.erase("node");
  words["stall-after"] = fmt::format("{:g} ms", verdict.stall_after_ms);
  words["fail-after"] = fmt::format("{:g} ms", verdict.fail_after_ms);
  words["dropout-below"] = fmt::format("{:g}", verdict.dropout_below);
  return words;
}

std::optional<Words> coordination_words(const NodeResult& result) {
  if (result.coordination)
    return Words{{"coordinated", "yes"},
                 {"its job", result.coordination->job},
                 {"its number of nodes", fmt::format("{}", result.coordination->count)},
                 {"its plan_id", result.coordination->plan_id}};
  if (!is_judged(result)) return std::nullopt;
  return Words{{"coordinated", "no"}};
}

// Modules of one name and kernel that are not the same were built from different sources.
std::optional<Words> module_words(const NodeResult& result) {
  if (!is_judged(result)) return std::nullopt;
  Words words;
  for (const ModuleEntry& module : result.verdict.target_modules)
    words["module " + module.name] = module.version + " " + module.srcversion;
  return words;
}

std::string kernel_of(const NodeResult& result) { return result.verdict.kernel; }
std::string no_group(const NodeResult&) { return {}; }

struct Aspect {
  WordsOf words;
  std::string (*group)(const NodeResult& result);  // only what is of one group is compared
};

constexpr Aspect kAspects[] = {{build_words, no_group},        {version_words, no_group},
                               {plan_words, no_group},         {setting_words, no_group},
                               {coordination_words, no_group}, {module_words, kernel_of}};

struct Same {
  const Words* words = nullptr;
  std::size_t count = 0;
};

// Of each group what most nodes have; of equals the one that is found first.
void refuse_by(const Aspect& aspect, Merged& merged) {
  std::map<std::string, std::map<Words, std::size_t>> counts;
  std::map<std::string, Same> usual;
  std::vector<std::optional<Words>> found(merged.nodes.size());
  for (std::size_t i = 0; i < merged.nodes.size(); ++i) {
    const MergedNode& node = merged.nodes[i];
    if (!node.takes_part() || node.result.state == NodeState::missing) continue;
    found[i] = aspect.words(node.result);
    if (found[i]) ++counts[aspect.group(node.result)][*found[i]];
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) continue;
    const std::string group = aspect.group(merged.nodes[i].result);
    const std::size_t count = counts[group][*found[i]];
    if (count > usual[group].count) usual[group] = {&*found[i], count};
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) continue;
    MergedNode& node = merged.nodes[i];
    const Same& most = usual[aspect.group(node.result)];
    const std::string difference = first_difference(*most.words, *found[i]);
    if (difference.empty()) continue;
    node.standing = Standing::refused;
    node.why = fmt::format("refused: {}, as on {} other{}", difference, most.count,
                           most.count == 1 ? "" : "s");
    if (node.result.failing_stalls > 0)
      node.why += fmt::format("; it had {} failing stalls", node.result.failing_stalls);
  }
}

}  // namespace

void refuse_unlike(Merged& merged) {
  for (const Aspect& aspect : kAspects) refuse_by(aspect, merged);
  for (const MergedNode& node : merged.nodes)
    if (merged.build.empty() && node.takes_part()) merged.build = build_of(node.result);
}

}  // namespace stallproof
