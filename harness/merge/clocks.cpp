// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/merge/merge.h"

namespace stallproof {
namespace {

// Further apart, and moments of two nodes say nothing of each other.
constexpr double kMostApartMs = 1000;

std::string offset_words(const CoordinationFacts& facts) {
  return fmt::format("{:+.3f} s (± {:.3f} s) from that of {}", *facts.offset_ms / 1e3,
                     facts.error_ms.value_or(0) / 1e3,
                     facts.against.empty() ? "rank 0" : facts.against);
}

void judge_clock(MergedNode& node, Merged& merged) {
  const auto& facts = node.result.coordination;
  if (!facts) return;
  if (!facts->offset_ms) {
    if (facts->started)
      merged.notes.push_back({node.name, "how far its clock is from the others was not measured"});
    return;
  }
  const double offset = std::abs(*facts->offset_ms);
  merged.clocks_apart_ms = std::max(merged.clocks_apart_ms.value_or(0), offset);
  if (apart_at_least_ms(*facts) > kMostApartMs) {
    node.standing = Standing::refused;
    node.why = fmt::format("refused: its clock is {}: more than 1 s in a coordinated run",
                           offset_words(*facts));
  } else if (node.begin_ms) {
    *node.begin_ms -= *facts->offset_ms;
  }
}

// From the first load that started to the last, on one clock.
void measure_start(Merged& merged) {
  std::optional<double> first, last;
  std::size_t known = 0;
  for (const MergedNode& node : merged.nodes) {
    const auto& facts = node.result.coordination;
    if (!node.takes_part() || !facts || !facts->start_late_ms || !facts->offset_ms) continue;
    const double late = *facts->start_late_ms - *facts->offset_ms;
    first = std::min(first.value_or(late), late);
    last = std::max(last.value_or(late), late);
    ++known;
  }
  if (known > 1) merged.start_skew_ms = *last - *first;
}

void count_nodes(Merged& merged) {
  for (const MergedNode& node : merged.nodes) {
    const auto& facts = node.result.coordination;
    if (!node.takes_part() || !facts) continue;
    if (facts->count != static_cast<int>(merged.expected))
      merged.doubts.push_back({"", fmt::format("the coordinated run was of {} nodes, {} are "
                                               "expected",
                                               facts->count, merged.expected)});
    return;
  }
}

}  // namespace

void judge_clocks(Merged& merged) {
  for (MergedNode& node : merged.nodes) {
    if (!node.takes_part()) continue;
    const double started = static_cast<double>(node.result.started_ms.value_or(-1));
    if (started > 0 && started < kMostUnixMs)
      node.begin_ms = started;
    else if (node.result.state != NodeState::missing)
      merged.notes.push_back({node.name, "when it began is not told: it has no place in time"});
    judge_clock(node, merged);
    if (!node.takes_part()) node.begin_ms.reset();
  }
  measure_start(merged);
  count_nodes(merged);
}

}  // namespace stallproof
