// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/coordination_read.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

// As harness/run/coordinate writes it.
constexpr const char* kWritten = R"({"schema":1,"node":"n2","coordination":{
  "job":"77.0","rank":1,"count":3,"share":"ranges","plan_id":"9b0d4c2f6a1e8877",
  "start":"2026-11-26T18:00:05.000+00:00","load_started":"2026-11-26T18:00:05.000+00:00",
  "start_late_ms":0.213,
  "clock":{"against":"node1","offset_ms":-0.4,"error_ms":21.0,"synchronised":true,
           "max_error_ms":35.2}}})";

TEST(CoordinationRead, WhatACoordinatedRunWritesIsUnderstood) {
  const auto read = read_coordination(kWritten, "env.json");
  ASSERT_TRUE(read) << read.error().what;
  ASSERT_TRUE(*read);
  const CoordinationFacts& facts = **read;
  EXPECT_EQ(facts.job, "77.0");
  EXPECT_EQ(facts.rank, 1);
  EXPECT_EQ(facts.count, 3);
  EXPECT_EQ(facts.plan_id, "9b0d4c2f6a1e8877");
  EXPECT_TRUE(facts.agreed);
  EXPECT_TRUE(facts.started);
  EXPECT_DOUBLE_EQ(*facts.start_late_ms, 0.213);
  EXPECT_DOUBLE_EQ(*facts.offset_ms, -0.4);
  EXPECT_DOUBLE_EQ(*facts.error_ms, 21);
}

TEST(CoordinationRead, ARunOfItsOwnHasNone) {
  EXPECT_FALSE(*read_coordination(R"({"node":"n1"})", "env.json"));
  EXPECT_FALSE(*read_coordination(R"({"coordination":null})", "env.json"));
}

TEST(CoordinationRead, ANodeThatNeverStartedSaysSo) {
  const auto read = read_coordination(
      R"({"coordination":{"rank":0,"count":2,"start":null,"load_started":null,
          "start_late_ms":null,"clock":{"against":null,"offset_ms":null}}})",
      "env.json");
  ASSERT_TRUE(read && *read);
  EXPECT_FALSE((*read)->agreed);
  EXPECT_FALSE((*read)->started);
  EXPECT_FALSE((*read)->offset_ms);
}

TEST(CoordinationRead, WhatIsNotOursIsRefusedByItsPath) {
  for (const char* text :
       {R"({"coordination":[]})", R"({"coordination":{"rank":0}})",
        R"({"coordination":{"rank":"0","count":2}})",
        R"({"coordination":{"rank":0,"count":2,"clock":{"error_ms":-1}}})", "{", "", "[1]"}) {
    const auto read = read_coordination(text, "n1/env.json");
    ASSERT_FALSE(read) << text;
    EXPECT_TRUE(read.error().what.starts_with("n1/env.json: ")) << read.error().what;
  }
}

TEST(CoordinationRead, ClocksAreApartOnlyByWhatTheErrorCannotExplain) {
  CoordinationFacts facts;
  EXPECT_DOUBLE_EQ(apart_at_least_ms(facts), 0);
  facts.offset_ms = -1500;
  facts.error_ms = 600;
  EXPECT_DOUBLE_EQ(apart_at_least_ms(facts), 900);
  facts.error_ms = 2000;
  EXPECT_DOUBLE_EQ(apart_at_least_ms(facts), 0);
}

}  // namespace
}  // namespace stallproof
