// SPDX-License-Identifier: Apache-2.0
#include "harness/store/retention.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

constexpr std::int64_t kDay = 86'400'000'000'000;
constexpr std::int64_t kNow = 100 * kDay;

KeptRun run(const std::string& name, std::int64_t age_days, std::uint64_t bytes,
            std::set<std::string> signatures = {}) {
  return {.directory = name,
          .ended_ns = kNow - age_days * kDay,
          .bytes = bytes,
          .signatures = std::move(signatures)};
}

std::vector<std::string> names(const std::vector<KeptRun>& runs) {
  std::vector<std::string> found;
  for (const KeptRun& each : runs) found.push_back(each.directory);
  return found;
}

using Names = std::vector<std::string>;

TEST(Retention, WithoutLimitsEverythingStays) {
  const auto chosen = choose_runs_to_remove({run("a", 99, 10), run("b", 1, 10)}, {}, kNow);
  EXPECT_TRUE(chosen.remove.empty());
  EXPECT_EQ(chosen.bytes, 20U);
}

TEST(Retention, WhatIsOlderGoesOldestFirst) {
  const auto chosen =
      choose_runs_to_remove({run("new", 1, 10), run("old", 31, 10), run("oldest", 40, 10)},
                            {.keep_ns = 30 * kDay, .keep_bytes = {}}, kNow);
  EXPECT_EQ(names(chosen.remove), (Names{"oldest", "old"}));
  EXPECT_EQ(chosen.bytes, 10U);
}

TEST(Retention, TheOldestGoUntilTheRestFits) {
  const auto chosen = choose_runs_to_remove({run("c", 1, 40), run("a", 3, 40), run("b", 2, 40)},
                                            {.keep_ns = {}, .keep_bytes = 80}, kNow);
  EXPECT_EQ(names(chosen.remove), Names{"a"});
  EXPECT_EQ(chosen.bytes, 80U);
}

TEST(Retention, TheOnlyIncidentOfASignatureStaysAndTheNextOldestGoes) {
  const auto chosen =
      choose_runs_to_remove({run("a", 50, 40, {"only"}), run("b", 40, 40), run("c", 1, 40)},
                            {.keep_ns = 30 * kDay, .keep_bytes = 80}, kNow);
  EXPECT_EQ(names(chosen.remove), Names{"b"});
  EXPECT_EQ(names(chosen.held_back), Names{"a"});
}

TEST(Retention, OfTwoWithTheSameSignatureTheLaterIsKept) {
  const auto chosen = choose_runs_to_remove({run("a", 50, 1, {"s"}), run("b", 40, 1, {"s"})},
                                            {.keep_ns = 30 * kDay, .keep_bytes = {}}, kNow);
  EXPECT_EQ(names(chosen.remove), Names{"a"});
  EXPECT_EQ(names(chosen.held_back), Names{"b"});
}

TEST(Retention, OneSignatureOfItsOwnIsEnoughToStay) {
  const auto chosen = choose_runs_to_remove({run("a", 50, 1, {"s", "only"}), run("b", 1, 1, {"s"})},
                                            {.keep_ns = 30 * kDay, .keep_bytes = {}}, kNow);
  EXPECT_TRUE(chosen.remove.empty());
}

TEST(Retention, WhatMustStayStaysHoweverLarge) {
  KeptRun tonight = run("tonight", 0, 500);
  tonight.stays = true;
  const auto chosen =
      choose_runs_to_remove({tonight, run("a", 1, 5)}, {.keep_ns = {}, .keep_bytes = 100}, kNow);
  EXPECT_EQ(names(chosen.remove), Names{"a"});
  EXPECT_EQ(chosen.bytes, 500U);
}

}  // namespace
}  // namespace stallproof
