// SPDX-License-Identifier: Apache-2.0
// What one node left: its run directory, finished or not, in little memory however many stalls it
// had. Reads files, which may block as any disk does; never writes. Whatever is missing, cut or
// damaged is a state with a reason, never an error: the other nodes are worth their results.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/merge/coordination_read.h"
#include "harness/store/verdict.h"

namespace stallproof {

// Of each node so many stalls and dropouts are kept, the gravest; the others are counted.
inline constexpr std::size_t kKeptOfNode = 200;

enum class NodeState { finished, unfinished, damaged, missing };

struct NodeResult {
  NodeState state = NodeState::missing;
  std::string directory;  // as it was given
  std::string node;       // as it calls itself; empty: nothing tells
  std::string run;
  std::string problem;  // why it is not finished, in one line
  bool died = false;    // a postmortem has found that its machine did not live to the run's end
  Verdict verdict;      // of an unfinished run: what it had written down
  std::uint64_t stalls = 0, failing_stalls = 0, dropouts = 0;  // all of them
  std::optional<std::int64_t> started_ms;   // since 1970, on the node's own clock
  std::map<std::string, std::string> plan;  // words of plan.toml that decide what was run
  std::optional<CoordinationFacts> coordination;
  std::vector<std::string> notes;  // what could not be read and decides nothing
};

// Fills in what a run without a verdict had written down: stalls, loads, how long it had run.
using ReadUnfinished = std::function<void(const std::string& directory, Verdict& verdict)>;

NodeResult read_node_result(const std::string& directory, const ReadUnfinished& unfinished);

// Of all directories, in their order; by several threads, which `unfinished` must bear.
std::vector<NodeResult> read_node_results(const std::vector<std::string>& directories,
                                          const ReadUnfinished& unfinished);

}  // namespace stallproof
