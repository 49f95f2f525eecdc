// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/wait_graph.h"

#include <gtest/gtest.h>

#include "harness/base/prng.h"

namespace stallproof {
namespace {

using Gate = WaitGraph::Gate;
using Node = WaitGraph::Node;

TEST(WaitGraph, DiamondIsNotACycle) {
  WaitGraph graph;
  const Node top = graph.add(Gate::all);
  const Node left = graph.add(Gate::all);
  const Node right = graph.add(Gate::all);
  const Node bottom = graph.add(Gate::all);
  graph.needs(top, left);
  graph.needs(top, right);
  graph.needs(left, bottom);
  graph.needs(right, bottom);
  const auto stuck = graph.stuck();
  EXPECT_EQ(stuck, std::vector<bool>(4, false));
  EXPECT_TRUE(graph.cycle_from(top, stuck).empty());
}

TEST(WaitGraph, RingOfAllGatesIsACycle) {
  WaitGraph graph;
  const Node a = graph.add(Gate::all);
  const Node b = graph.add(Gate::all);
  const Node c = graph.add(Gate::all);
  graph.needs(a, b);
  graph.needs(b, c);
  graph.needs(c, b);
  const auto stuck = graph.stuck();
  EXPECT_EQ(stuck, std::vector<bool>(3, true));
  EXPECT_EQ(graph.cycle_from(a, stuck), (std::vector<Node>{b, c}));
}

TEST(WaitGraph, AnyGateWithOneWayOutIsFree) {
  WaitGraph graph;
  const Node holder = graph.add(Gate::all);
  const Node request = graph.add(Gate::any);
  const Node caught = graph.add(Gate::all);
  const Node free = graph.add(Gate::all);
  graph.needs(holder, request);
  graph.needs(request, caught);
  graph.needs(request, free);
  graph.needs(caught, holder);
  EXPECT_EQ(graph.stuck(), std::vector<bool>(4, false));
}

TEST(WaitGraph, AllGateWithOneStuckNeedIsStuckBesideTheCycle) {
  WaitGraph graph;
  const Node outside = graph.add(Gate::all);
  const Node free = graph.add(Gate::all);
  const Node self = graph.add(Gate::all);
  graph.needs(outside, free);
  graph.needs(outside, self);
  graph.needs(self, self);
  const auto stuck = graph.stuck();
  EXPECT_EQ(stuck, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(graph.cycle_from(outside, stuck), std::vector<Node>{self});
}

TEST(WaitGraph, NeedNamedTwiceCountsOnce) {
  WaitGraph graph;
  const Node a = graph.add(Gate::all);
  const Node b = graph.add(Gate::all);
  graph.needs(a, b);
  graph.needs(a, b);
  EXPECT_EQ(graph.stuck(), std::vector<bool>(2, false));
}

// Oracle: progress computed by rounds until nothing changes.
TEST(WaitGraph, AgreesWithTheSlowFixPointOnRandomGraphs) {
  Prng random(7);
  for (int round = 0; round < 300; ++round) {
    WaitGraph graph;
    const auto count = static_cast<Node>(2 + random.below(12));
    std::vector<bool> any(count);
    std::vector<std::vector<Node>> needs(count);
    for (Node n = 0; n < count; ++n) {
      any[n] = random.below(2) == 0;
      graph.add(any[n] ? Gate::any : Gate::all);
    }
    for (std::uint64_t e = random.below(3 * count); e > 0; --e) {
      const auto from = static_cast<Node>(random.below(count));
      const auto to = static_cast<Node>(random.below(count));
      graph.needs(from, to);
      needs[from].push_back(to);
    }
    std::vector<bool> stuck(count, true);
    for (Node pass = 0; pass < count + 1; ++pass) {
      for (Node n = 0; n < count; ++n) {
        std::size_t free = 0;
        for (const Node need : needs[n]) free += stuck[need] ? 0 : 1;
        if (any[n] ? free > 0 : free == needs[n].size()) stuck[n] = false;
      }
    }
    ASSERT_EQ(graph.stuck(), stuck) << "round " << round;
    for (Node n = 0; n < count; ++n) {
      const auto cycle = graph.cycle_from(n, stuck);
      for (std::size_t i = 0; i < cycle.size(); ++i) {
        const auto& next = needs[cycle[i]];
        ASSERT_NE(std::find(next.begin(), next.end(), cycle[(i + 1) % cycle.size()]), next.end());
      }
    }
  }
}

}  // namespace
}  // namespace stallproof
