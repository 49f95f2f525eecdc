// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/base/one_line.h"
#include "harness/gate/rate_bound.h"
#include "harness/merge/node_list.h"

namespace stallproof {
namespace {

constexpr double kSameTimeMs = 60e3;
constexpr double kSameNightMs = 12 * 3.6e6;

std::string short_name(const std::string& node) { return node.substr(0, node.find('.')); }

// Results by what may be a name of their node.
class Results {
 public:
  explicit Results(std::vector<NodeResult> results) : results_(std::move(results)) {
    for (std::size_t i = 0; i < results_.size(); ++i)
      by_name_[short_name(results_[i].node)].push_back(i);
    taken_.resize(results_.size());
  }
  [[nodiscard]] Result<> each_node_once() const;
  // nullopt: none. One that was read is worth more than a directory that does not exist.
  std::optional<NodeResult> take(const std::string& name);
  std::vector<NodeResult> take_rest();

 private:
  std::vector<NodeResult> results_;
  std::vector<bool> taken_;
  std::map<std::string, std::vector<std::size_t>> by_name_;
};

Result<> Results::each_node_once() const {
  for (const auto& [name, places] : by_name_)
    for (std::size_t a = 0; a < places.size(); ++a)
      for (std::size_t b = a + 1; b < places.size(); ++b) {
        const NodeResult& one = results_[places[a]];
        const NodeResult& other = results_[places[b]];
        if (one.state == NodeState::missing || other.state == NodeState::missing) continue;
        if (!same_node(one.node, other.node)) continue;
        return fail(fmt::format(
            "merge: two results of {}: {} and {} (give one of each node; two machines of one name "
            "are told apart by STALLPROOF_NODE)",
            on_one_line(one.node), on_one_line(one.directory), on_one_line(other.directory)));
      }
  return {};
}

std::optional<NodeResult> Results::take(const std::string& name) {
  const auto places = by_name_.find(short_name(name));
  if (places == by_name_.end()) return std::nullopt;
  std::optional<std::size_t> found;
  for (const std::size_t place : places->second) {
    if (taken_[place] || !same_node(name, results_[place].node)) continue;
    if (!found || results_[*found].state == NodeState::missing) found = place;
  }
  if (!found) return std::nullopt;
  taken_[*found] = true;
  return std::move(results_[*found]);
}

std::vector<NodeResult> Results::take_rest() {
  std::vector<NodeResult> rest;
  for (std::size_t i = 0; i < results_.size(); ++i)
    if (!taken_[i]) rest.push_back(std::move(results_[i]));
  return rest;
}

bool is_named(const std::vector<std::string>& list, const std::string& name) {
  return std::any_of(list.begin(), list.end(),
                     [&name](const std::string& each) { return same_node(each, name); });
}

std::string first_reason(const Verdict& verdict) {
  return verdict.reasons.empty() ? "its verdict does not say why" : verdict.reasons.front();
}

void judge_standing(MergedNode& node, const MergeOptions& options) {
  const NodeResult& result = node.result;
  switch (result.state) {
    case NodeState::finished:
      node.standing = Standing::counted;
      break;
    case NodeState::unfinished:
      node.standing = Standing::unfinished;
      break;
    case NodeState::damaged:
      node.standing = Standing::damaged;
      break;
    case NodeState::missing:
      node.standing = Standing::missing;
      break;
  }
  node.why = result.problem;
  if (result.died) {
    const std::string reason = first_reason(result.verdict);
    node.why = reason.starts_with("node_died") ? reason : "node_died: " + reason;
    node.standing = Standing::died;
  } else if (is_named(options.died, node.name)) {
    node.why = "node_died: whoever started the nodes saw it die";
    if (!result.problem.empty()) node.why += "; " + result.problem;
    node.standing = Standing::died;
  }
}

MergedNode expected_node(const std::string& name, Results& results, std::size_t given) {
  MergedNode node;
  node.name = name;
  if (auto result = results.take(name)) {
    node.result = std::move(*result);
  } else {
    node.result.problem = fmt::format("missing: none of the {} results is its own", given);
    node.result.node = name;
  }
  return node;
}

Result<Merged> assign(std::vector<NodeResult> given, const MergeOptions& options) {
  const std::size_t count = given.size();
  if (std::all_of(given.begin(), given.end(),
                  [](const NodeResult& each) { return each.state == NodeState::missing; }))
    return fail(
        fmt::format("merge: no result at all: {} (give a run directory of each node)",
                    given.empty() ? "no directory is given" : on_one_line(given.front().problem)));
  for (const std::string& name : options.died)
    if (!is_named(options.expected, name))
      return fail(fmt::format("merge: --died: {} is not among --expect-nodes", on_one_line(name)));
  Results results(std::move(given));
  if (auto once = results.each_node_once(); !once) return Failure(once.error());
  Merged merged;
  merged.expected = options.expected.size();
  for (const std::string& name : options.expected) {
    merged.nodes.push_back(expected_node(name, results, count));
    judge_standing(merged.nodes.back(), options);
  }
  for (NodeResult& stranger : results.take_rest()) {
    MergedNode node;
    node.name = stranger.node;
    node.why = stranger.state == NodeState::missing ? stranger.problem
                                                    : "refused: it is not among --expect-nodes";
    node.standing = stranger.state == NodeState::missing ? Standing::missing : Standing::refused;
    node.result = std::move(stranger);
    merged.nodes.push_back(std::move(node));
  }
  return merged;
}

void collect_stalls(Merged& merged, double within_ms) {
  std::vector<StallBegin> placed;
  for (std::size_t i = 0; i < merged.nodes.size(); ++i) {
    const MergedNode& node = merged.nodes[i];
    if (!node.takes_part()) continue;
    const auto& stalls = node.result.verdict.stalls;
    merged.failing_stalls += node.result.failing_stalls;
    merged.resolved_stalls += node.result.stalls - node.result.failing_stalls;
    for (std::size_t entry = 0; entry < stalls.size(); ++entry) {
      StallBegin begin{i, entry, stalls[entry].onset_ms};
      if (node.begin_ms) {
        begin.onset_ms += *node.begin_ms;
        placed.push_back(begin);
      }
      merged.stalls.push_back(begin);
    }
  }
  std::stable_sort(merged.stalls.begin(), merged.stalls.end(),
                   [&merged](const StallBegin& one, const StallBegin& other) {
                     const bool first = merged.entry_of(one).failing;
                     const bool second = merged.entry_of(other).failing;
                     return first != second ? first : one.onset_ms < other.onset_ms;
                   });
  merged.together = stalls_together(std::move(placed), within_ms);
}

void find_span(Merged& merged) {
  bool any = false;
  for (const MergedNode& node : merged.nodes) {
    if (!node.begin_ms) continue;
    const double end = *node.begin_ms + node.result.verdict.duration_s * 1e3;
    merged.begin_ms = any ? std::min(merged.begin_ms, *node.begin_ms) : *node.begin_ms;
    merged.end_ms = any ? std::max(merged.end_ms, end) : end;
    any = true;
  }
}

bool is_about_stall(const std::string& reason) {
  return reason.starts_with("stalled: ") || reason.starts_with("failing stall ");
}

// What a node failed for beside its stalls.
void judge_failures(const MergedNode& node, Merged& merged) {
  const Verdict& verdict = node.result.verdict;
  if (node.standing == Standing::died) merged.failures.push_back({node.name, node.why});
  if (node.standing != Standing::counted) return;
  std::size_t told = 0;
  if (verdict.outcome == Outcome::fail)
    for (const std::string& reason : verdict.reasons) {
      if (node.result.failing_stalls > 0 && is_about_stall(reason)) continue;
      merged.failures.push_back({node.name, reason});
      ++told;
    }
  if (verdict.outcome == Outcome::fail && told == 0 && node.result.failing_stalls == 0)
    merged.failures.push_back({node.name, "it failed and does not say why"});
  if (verdict.outcome == Outcome::fail) return;
  for (const auto& [name, load] : verdict.workloads)
    if (load.mismatches > 0)
      merged.failures.push_back(
          {node.name,
           fmt::format("corruption: {} read back wrong data {} times", name, load.mismatches)});
}

void judge_doubts(MergedNode& node, Merged& merged) {
  const Verdict& verdict = node.result.verdict;
  if (node.standing == Standing::counted) {
    ++merged.counted;
    if (verdict.outcome != Outcome::unknown) merged.node_hours += verdict.duration_s / 3600;
    if (verdict.outcome != Outcome::pass)
      node.why = fmt::format("{}: {}", outcome_name(verdict.outcome), first_reason(verdict));
    if (verdict.outcome == Outcome::unknown)
      merged.doubts.push_back({node.name, "its verdict is " + node.why});
  } else if (node.standing != Standing::died) {
    merged.doubts.push_back({node.name, node.why});
  }
  for (const std::string& note : node.result.notes) merged.notes.push_back({node.name, note});
  for (const std::string& thing : verdict.left_behind)
    merged.notes.push_back({node.name, "left behind: " + thing});
}

void conclude(Merged& merged) {
  if (merged.node_hours > 0)
    merged.rate_bound = rate_upper_bound(merged.failing_stalls, merged.node_hours);
  const bool failed = merged.failing_stalls > 0 || !merged.failures.empty();
  merged.outcome = failed                  ? Outcome::fail
                   : merged.doubts.empty() ? Outcome::pass
                                           : Outcome::unknown;
  merged.exit_code = failed ? 1 : merged.outcome == Outcome::pass ? 0 : 3;
}

// Results of another night lie where tonight's belong more often than anybody likes, and are green.
void judge_times(const MergeOptions& options, Merged& merged) {
  std::vector<double> middles;
  for (const MergedNode& node : merged.nodes)
    if (node.begin_ms) middles.push_back(*node.begin_ms + node.result.verdict.duration_s * 500);
  if (middles.size() < 2) return;
  const auto median = middles.begin() + static_cast<std::ptrdiff_t>(middles.size() / 2);
  std::nth_element(middles.begin(), median, middles.end());
  for (const MergedNode& node : merged.nodes) {
    if (!node.begin_ms) continue;
    const double lasted = node.result.verdict.duration_s * 1e3;
    const double apart = std::abs(*node.begin_ms + lasted / 2 - *median);
    if (apart <= std::max(lasted, kSameTimeMs)) continue;
    const bool doubtful = apart > kSameNightMs && !options.staggered;
    const std::string what = fmt::format("it ran {:.1f} h apart from most others", apart / 3.6e6);
    if (doubtful)
      merged.doubts.push_back(
          {node.name, what + ": is it a result of another night? (if not: --staggered)"});
    else
      merged.notes.push_back({node.name, what});
  }
}

}  // namespace

const char* standing_word(Standing standing) {
  switch (standing) {
    case Standing::counted:
      return "counted";
    case Standing::died:
      return "died";
    case Standing::unfinished:
      return "unfinished";
    case Standing::damaged:
      return "damaged";
    case Standing::refused:
      return "refused";
    case Standing::missing:
      return "missing";
  }
  return "missing";
}

Result<Merged> merge_nodes(std::vector<NodeResult> results, const MergeOptions& options) {
  auto merged = assign(std::move(results), options);
  if (!merged) return merged;
  refuse_unlike(*merged);
  judge_clocks(*merged);
  collect_stalls(*merged, options.within_ms);
  find_span(*merged);
  for (MergedNode& node : merged->nodes) {
    // What lies there is of another run, but its death was seen in this one.
    if (node.standing == Standing::refused && is_named(options.died, node.name))
      merged->failures.push_back({node.name, "node_died: whoever started the nodes saw it die"});
    judge_failures(node, *merged);
    judge_doubts(node, *merged);
  }
  judge_times(options, *merged);
  conclude(*merged);
  return merged;
}

}  // namespace stallproof
