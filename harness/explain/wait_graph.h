// SPDX-License-Identifier: Apache-2.0
// Who can still progress, over an AND/OR graph. An `all` node progresses when everything it needs
// does (a held lock waits for all its holders; a node that needs nothing progresses). An `any` node
// progresses when one of what it needs does (a request waits for any thread that could serve it).
// Knows nothing of tasks and locks. Pure; linear in nodes and needs.
#pragma once

#include <cstdint>
#include <vector>

namespace stallproof {

class WaitGraph {
 public:
  using Node = std::uint32_t;
  enum class Gate : std::uint8_t { all, any };

  Node add(Gate gate);
  void needs(Node from, Node to);
  [[nodiscard]] std::size_t size() const { return gates_.size(); }

  // Per node: true if it can never progress, however the others are scheduled. The complement of
  // the least fix-point of progress; so a diamond is no deadlock and a cycle with a way out is
  // none.
  [[nodiscard]] std::vector<bool> stuck() const;

  // Follows from each stuck node the first stuck need until one node of the walk comes again: the
  // part from there is a cycle, each waiting for the next. Empty if the walk ends (an `any` node
  // that needs nothing). One walk, so meeting a node again is a cycle and not a diamond.
  [[nodiscard]] std::vector<Node> cycle_from(Node start, const std::vector<bool>& stuck) const;

 private:
  std::vector<Gate> gates_;
  std::vector<std::vector<Node>> needs_;
};

}  // namespace stallproof
