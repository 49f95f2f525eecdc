// SPDX-License-Identifier: Apache-2.0
// Two explanations of what should be the same stall, node by node: along the circle where there is
// one, else its root. Pure. Names, numbers and functions differ between machines and kernels and
// are shown, not judged; what a node is, what it does there and how it waits is judged.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "harness/explain/explanation.h"

namespace stallproof {

struct NodePair {
  std::string part;      // "holder", "queued_writer", "lock", "fuse"
  std::string reported;  // "java 22134: task, waits_for"; empty: there is none
  std::string reproduced;
  bool same = false;
};

struct RoleCount {
  std::size_t reported = 0, reproduced = 0;
};

struct ExplanationComparison {
  bool same_class = false;
  bool same_signature = false;
  std::vector<NodePair> nodes;
  std::map<std::string, RoleCount> roles;  // how many tasks of each; not judged

  [[nodiscard]] bool same_nodes() const;
};

ExplanationComparison compare_explanations(const Explanation& reported,
                                           const Explanation& reproduced);

}  // namespace stallproof
