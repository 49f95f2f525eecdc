// SPDX-License-Identifier: Apache-2.0
// Results of many nodes, one answer out. Green only when every expected node left a result of the
// same build, plan and stallproof as the others, and each of them passed. A node is looked for by
// its name, never by an exit code. Pure: all that it reads is in the results.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/merge/node_result.h"
#include "harness/merge/together.h"

namespace stallproof {

// The year 2286: a later stamp is none, and nanoseconds end in 2554.
inline constexpr double kMostUnixMs = 1e13;

// How a node's result takes part.
enum class Standing {
  counted,     // as the node judged it
  died,        // its machine did not live to the end: a failure, its stalls count
  unfinished,  // no verdict: what it had written down of stalls counts, its hours do not
  damaged,     // cannot be read
  refused,     // another build, plan or version, a clock apart, or nobody expected it
  missing,     // no result at all
};
const char* standing_word(Standing standing);

struct MergedNode {
  std::string name;  // as it is expected; else as it calls itself
  NodeResult result;
  Standing standing = Standing::missing;
  std::string why;  // one line; empty only when it is counted and passed
  // When its run began, in milliseconds since 1970 on the clock that all share. Absent: not known.
  std::optional<double> begin_ms;

  [[nodiscard]] bool takes_part() const {
    return standing == Standing::counted || standing == Standing::died ||
           standing == Standing::unfinished;
  }
};

struct MergeOptions {
  std::vector<std::string> expected;  // names, each once
  std::vector<std::string> died;      // of them: whoever started the nodes saw these die
  double within_ms = 1000;            // stalls of several nodes that begin so near are told as one
  bool staggered = false;             // nodes may have run at quite different times
};

struct MergeFinding {
  std::string node;  // empty: about all
  std::string what;
};

struct Merged {
  std::vector<MergedNode> nodes;   // as expected, then those that nobody expected
  std::size_t expected = 0;        // so many of them
  std::string build;               // of the nodes that take part; empty: no label
  std::vector<StallBegin> stalls;  // of those; failing ones first, then by time
  std::vector<std::vector<StallBegin>> together;
  std::vector<MergeFinding> failures;  // other than stalls
  std::vector<MergeFinding> doubts;    // why it is not known
  std::vector<MergeFinding> notes;     // they decide nothing
  std::size_t counted = 0;             // nodes
  std::size_t failing_stalls = 0, resolved_stalls = 0;
  double node_hours = 0;                  // of counted nodes whose verdict is known
  std::optional<double> rate_bound;       // failing stalls per node-hour, 95 %
  double begin_ms = 0, end_ms = 0;        // of all that take part, since 1970; 0: nobody knows
  std::optional<double> start_skew_ms;    // coordinated: from the first load's start to the last's
  std::optional<double> clocks_apart_ms;  // coordinated: the largest offset from rank 0's
  Outcome outcome = Outcome::unknown;
  int exit_code = 3;

  [[nodiscard]] const StallEntry& entry_of(const StallBegin& stall) const {
    return nodes[stall.node].result.verdict.stalls[stall.entry];
  }
};

// Only a mistake of the caller is an error: two results of one node, no result at all, a node that
// died and was not expected.
Result<Merged> merge_nodes(std::vector<NodeResult> results, const MergeOptions& options);

// Those that were run otherwise than most become `refused`, each with the first difference. Sets
// merged.build.
void refuse_unlike(Merged& merged);
// Coordinated runs: clocks that are more than a second apart are refused, the others are brought to
// one. Sets begin_ms of all that take part.
void judge_clocks(Merged& merged);

}  // namespace stallproof
