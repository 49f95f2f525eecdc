// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/recorded_load.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(RecordedLoad, SeedThreadsAndRatesOfTheLargestProcess) {
  const Settings words = recorded_load_words(R"(
[plan]
seed = 42
[[process]]
name = "neighbour"
  [[process.load]]
  workload = "direct-io"
  threads = 99
[[process]]
name = "java"
  [[process.load]]
  workload = "direct-io"
  threads = 8
  [[process.load]]
  workload = "direct-read"
  threads = 3
  [[process.load]]
  workload = "mprotect-storm"
  threads = 2
  mprotect-rate = 500
  profile = "thread-churn"
)");
  const std::map<std::string, std::string> expected{{"direct-threads", "11"},
                                                    {"mprotect-rate", "500"},
                                                    {"mprotect-threads", "2"},
                                                    {"seed", "42"},
                                                    {"writer", "thread-churn"}};
  EXPECT_EQ(words.all(), expected);
}

TEST(RecordedLoad, WhatIsNoPlanSaysNothing) {
  for (const char* text :
       {"", "garbage =", "scenario = \"x\"\n", "process = 3\n", "[[process]]\nload = 1\n"})
    EXPECT_TRUE(recorded_load_words(text).all().empty()) << text;
}

}  // namespace
}  // namespace stallproof
