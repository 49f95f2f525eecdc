// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/merge_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/gate/gate_words.h"
#include "harness/sink/report/time_axis.h"

namespace stallproof {
namespace {

constexpr std::size_t kNamesTold = 8;

std::string first_of(const std::vector<MergeFinding>& findings) {
  std::string text = finding_words(findings.front());
  if (findings.size() > 1) text += fmt::format(" and {} more", findings.size() - 1);
  return text;
}

// The group that most nodes are in: what a reader wants to know first.
const std::vector<StallBegin>* largest_group(const Merged& merged) {
  const std::vector<StallBegin>* largest = nullptr;
  std::size_t most = 0;
  for (const auto& group : merged.together) {
    const std::size_t nodes = node_names(merged, group).size();
    if (nodes <= most) continue;
    most = nodes;
    largest = &group;
  }
  return largest;
}

}  // namespace

std::string merge_sentence(const Merged& merged) {
  std::string text = verdict_word(merged.outcome);
  text += merged.build.empty() ? " (no build label)" : " build " + one_line(merged.build);
  text +=
      fmt::format(": {} of {} counted, {} in {} node-hour{}", merged.counted,
                  counted(merged.expected, "node"), counted(merged.failing_stalls, "failing stall"),
                  amount_words(merged.node_hours), merged.node_hours == 1 ? "" : "s");
  if (merged.rate_bound)
    text += fmt::format(", at most {} per node-hour (95 %)", bound_words(*merged.rate_bound));
  if (const auto* group = largest_group(merged)) text += "; " + together_words(merged, *group);
  if (!merged.failures.empty()) text += "; failed: " + first_of(merged.failures);
  if (!merged.doubts.empty()) text += "; not known: " + first_of(merged.doubts);
  return text;
}

std::string finding_words(const MergeFinding& finding) {
  return finding.node.empty()
             ? one_line(finding.what)
             : fmt::format("{}: {}", one_line(finding.node), one_line(finding.what));
}

std::string together_words(const Merged& merged, const std::vector<StallBegin>& group) {
  const auto signatures = signatures_of(merged, group);
  const double within = group.back().onset_ms - group.front().onset_ms;
  const std::size_t nodes = node_names(merged, group).size();
  const std::string begin =
      fmt::format("{} nodes stalled within {}", nodes, span_words(within / 1e3));
  if (signatures.size() == 1)
    return fmt::format("{}, same signature {}", begin, one_line(signatures.front()));
  return fmt::format("{}, {} signatures, most often {}", begin, signatures.size(),
                     one_line(signatures.front()));
}

std::string names_words(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesTold); ++i)
    text += (i == 0 ? "" : ", ") + one_line(names[i]);
  if (names.size() > kNamesTold) text += fmt::format(" and {} more", names.size() - kNamesTold);
  return text;
}

std::string stall_words(const Merged& merged, const StallBegin& stall) {
  const StallEntry& entry = merged.entry_of(stall);
  const MergedNode& node = merged.nodes[stall.node];
  const std::string lasted = entry.resolved_ms
                                 ? "for " + span_words((*entry.resolved_ms - entry.onset_ms) / 1e3)
                                 : "never resolved";
  return fmt::format("{}: {} at {}, {} (incident {} of {})", one_line(node.name),
                     one_line(entry.stall_class), run_time(onset_ms_of(merged, stall) / 1e3),
                     lasted, one_line(entry.id), one_line(node.result.directory));
}

std::vector<std::string> node_names(const Merged& merged, const std::vector<StallBegin>& group) {
  std::vector<std::string> names;
  std::set<std::size_t> seen;
  for (const StallBegin& stall : group)
    if (seen.insert(stall.node).second) names.push_back(merged.nodes[stall.node].name);
  return names;
}

std::vector<std::string> signatures_of(const Merged& merged, const std::vector<StallBegin>& group) {
  std::map<std::string, std::size_t> counts;
  for (const StallBegin& stall : group) ++counts[merged.entry_of(stall).signature];
  std::vector<std::string> signatures;
  for (const auto& [signature, count] : counts) signatures.push_back(signature);
  std::stable_sort(signatures.begin(), signatures.end(),
                   [&counts](const std::string& one, const std::string& other) {
                     return counts[one] > counts[other];
                   });
  return signatures;
}

bool any_failing(const Merged& merged, const std::vector<StallBegin>& group) {
  return std::any_of(group.begin(), group.end(),
                     [&merged](const StallBegin& stall) { return merged.entry_of(stall).failing; });
}

double onset_ms_of(const Merged& merged, const StallBegin& stall) {
  if (!merged.nodes[stall.node].begin_ms) return std::max(0.0, stall.onset_ms);
  return std::max(0.0, stall.onset_ms - merged.begin_ms);
}

NodeWork work_of(const Verdict& verdict) {
  NodeWork work;
  for (const auto& [name, load] : verdict.workloads) {
    work.ops += load.ops;
    work.bytes += load.bytes;
    if (load.p99_us) work.p99_us = std::max(work.p99_us.value_or(0), *load.p99_us);
    if (load.max_us) work.max_us = std::max(work.max_us.value_or(0), *load.max_us);
  }
  return work;
}

}  // namespace stallproof
