// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/known_stalls.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

std::string problem_of(const std::string& text) {
  const auto known = parse_known_stalls(text, "known.toml");
  return known ? "" : known.error().what;
}

TEST(KnownStalls, AreRead) {
  const auto known = parse_known_stalls(
      "[[known]]\nsignature = \"a:b>c\"\nreason = \"JIRA-1\"\nuntil = 2026-12-31\n"
      "[[known]]\nsignature = \"d\"\nreason = \"old\"\nuntil = 2025-01-02\n",
      "known.toml");
  ASSERT_TRUE(known) << known.error().what;
  ASSERT_EQ(known->size(), 2U);
  EXPECT_EQ((*known)[0].signature, "a:b>c");
  EXPECT_EQ((*known)[0].reason, "JIRA-1");
  EXPECT_EQ((*known)[0].until, "2026-12-31");
  EXPECT_EQ((*known)[1].until, "2025-01-02");
  EXPECT_TRUE(parse_known_stalls("", "known.toml")->empty());
}

TEST(KnownStalls, ErrorsNameTheirPlace) {
  const std::string good = "[[known]]\nsignature = \"a\"\nreason = \"r\"\nuntil = 2026-12-31\n";
  EXPECT_EQ(problem_of(good + "untill = 3\n"),
            "known.toml:5:1: [[known]]: unknown key 'untill' (known: reason, signature, until)");
  EXPECT_EQ(problem_of("[[known]]\nsignature = \"a\"\nuntil = 2026-12-31\n"),
            "known.toml:1:1: [[known]]: reason: is missing");
  EXPECT_EQ(problem_of("[[known]]\nsignature = \"a\"\nreason = \"r\"\nuntil = \"2026-13-31\"\n"),
            "known.toml:4:9: [[known]]: until: is not a date (2026-12-31)");
  EXPECT_EQ(problem_of(good + good), "known.toml:6:13: [[known]]: signature: is listed twice");
  EXPECT_EQ(problem_of("known = 3\n"),
            "known.toml:1:9: known stalls: known: is not a list of tables (write it with two "
            "brackets)");
  EXPECT_TRUE(problem_of("[[known]\n").starts_with("known.toml:1:")) << problem_of("[[known]\n");
}

TEST(KnownStalls, ADateMayStandInQuotes) {
  const auto known = parse_known_stalls(
      "[[known]]\nsignature = \"a\"\nreason = \"r\"\nuntil = \"2026-12-31\"\n", "known.toml");
  ASSERT_TRUE(known) << known.error().what;
  EXPECT_EQ((*known)[0].until, "2026-12-31");
}

// It would cover every stall that nobody could explain.
TEST(KnownStalls, AnUnexplainedStallIsNotKnown) {
  for (const char* signature : {"unknown", ""})
    EXPECT_NE(problem_of("[[known]]\nsignature = \"" + std::string(signature) +
                         "\"\nreason = \"r\"\nuntil = 2026-12-31\n")
                  .find("must be that of an explained stall"),
              std::string::npos);
}

}  // namespace
}  // namespace stallproof
