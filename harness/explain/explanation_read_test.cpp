// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/explanation_read.h"

#include <gtest/gtest.h>

#include "harness/explain/explain.h"
#include "harness/explain/explanation_compare.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

using namespace fixture;

TEST(ExplanationRead, WhatWasWrittenIsReadBack) {
  const Explanation written = explain(reported_stall(), shipped());
  const auto read = read_explanation_json(render_json(written));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(render_json(*read), render_json(Explanation{written}));
}

TEST(ExplanationRead, RefusesWhatIsNoExplanation) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"class": 3})", R"({"class": "none", "nodes": [{"role": "king"}]})",
        R"({"class": "none", "cycle": ["a", 7]})"})
    EXPECT_FALSE(read_explanation_json(text)) << text;
}

TEST(ExplanationRead, CutAnywhereItIsRefusedNeverHalfRead) {
  const std::string whole = render_json(explain(reported_stall(), shipped()));
  for (std::size_t length = 0; length + 2 < whole.size(); length += 97)
    EXPECT_FALSE(read_explanation_json(std::string_view(whole).substr(0, length))) << length;
}

TEST(ExplanationCompare, TheSameStallIsTheSameAlongItsCircle) {
  const Explanation one = explain(reported_stall(), shipped());
  const ExplanationComparison comparison = compare_explanations(one, one);
  EXPECT_TRUE(comparison.same_class && comparison.same_signature && comparison.same_nodes());
  ASSERT_EQ(comparison.nodes.size(), one.cycle->size());
  EXPECT_EQ(comparison.nodes.front().part, "holder");
}

TEST(ExplanationCompare, NamesAndNumbersAreNotJudged) {
  LockSnapshot other = reported_stall();
  for (TaskRow& task : other.tasks) task.comm = "java";
  const ExplanationComparison comparison =
      compare_explanations(explain(reported_stall(), shipped()), explain(other, shipped()));
  EXPECT_TRUE(comparison.same_nodes());
}

TEST(ExplanationCompare, AnotherModeOfWaitingIsAnotherNode) {
  Explanation one = explain(reported_stall(), shipped());
  Explanation other = one;
  for (ExplainedEdge& edge : other.edges) edge.mode = LockMode::write;
  EXPECT_FALSE(compare_explanations(one, other).same_nodes());
}

TEST(ExplanationCompare, WhatIsMissingHereIsShownAsMissing) {
  const Explanation one = explain(reported_stall(), shipped());
  const ExplanationComparison comparison =
      compare_explanations(one, Explanation{.stall_class = "none"});
  EXPECT_FALSE(comparison.same_class);
  EXPECT_FALSE(comparison.same_nodes());
  EXPECT_EQ(comparison.nodes.front().reproduced, "");
}

}  // namespace
}  // namespace stallproof
