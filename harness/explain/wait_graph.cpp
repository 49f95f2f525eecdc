// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/wait_graph.h"

#include <algorithm>

namespace stallproof {

WaitGraph::Node WaitGraph::add(Gate gate) {
  gates_.push_back(gate);
  needs_.emplace_back();
  return static_cast<Node>(gates_.size() - 1);
}

void WaitGraph::needs(Node from, Node to) { needs_[from].push_back(to); }

std::vector<bool> WaitGraph::stuck() const {
  std::vector<std::vector<Node>> needed_by(size());
  std::vector<std::size_t> missing(size());
  std::vector<Node> free;
  std::vector<bool> result(size(), true);
  for (Node node = 0; node < size(); ++node) {
    for (const Node need : needs_[node]) needed_by[need].push_back(node);
    missing[node] = gates_[node] == Gate::all ? needs_[node].size() : 1;
    if (missing[node] == 0) free.push_back(node);
  }
  while (!free.empty()) {
    const Node node = free.back();
    free.pop_back();
    if (!result[node]) continue;
    result[node] = false;
    for (const Node waiter : needed_by[node])
      if (missing[waiter] > 0 && --missing[waiter] == 0) free.push_back(waiter);
  }
  return result;
}

std::vector<WaitGraph::Node> WaitGraph::cycle_from(Node start,
                                                   const std::vector<bool>& stuck) const {
  std::vector<Node> path;
  std::vector<std::size_t> place(size(), SIZE_MAX);
  Node node = start;
  while (stuck[node]) {
    if (place[node] != SIZE_MAX)
      return {path.begin() + static_cast<std::ptrdiff_t>(place[node]), path.end()};
    place[node] = path.size();
    path.push_back(node);
    const auto next = std::find_if(needs_[node].begin(), needs_[node].end(),
                                   [&stuck](Node need) { return stuck[need]; });
    if (next == needs_[node].end()) break;
    node = *next;
  }
  return {};
}

}  // namespace stallproof
