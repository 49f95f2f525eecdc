// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/vdbench_words.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(VdbenchWords, SeveralFilesFollowOneLetterAndValuesStandBetween) {
  const auto words = read_vdbench_words({"-f", "a.parm", "b.parm", "rate=5", "c.parm", "-s"});
  ASSERT_TRUE(words) << words.error().what;
  EXPECT_EQ(words->files, (std::vector<std::string>{"a.parm", "b.parm", "c.parm"}));
  EXPECT_EQ(words->values, std::vector<std::string>{"rate=5"});
  EXPECT_TRUE(words->simulate);
}

TEST(VdbenchWords, ValuesStandAtTheirLetterOrBehindIt) {
  const auto words = read_vdbench_words({"-fa.parm", "-e60", "-i", "5", "-w10", "-oout", "-vr"});
  ASSERT_TRUE(words) << words.error().what;
  EXPECT_EQ(words->files, std::vector<std::string>{"a.parm"});
  EXPECT_EQ(words->options.elapsed, 60);
  EXPECT_EQ(words->options.interval, 5);
  EXPECT_EQ(words->options.warmup, 10);
  EXPECT_EQ(words->output, "out");
  EXPECT_TRUE(words->options.validate);
}

TEST(VdbenchWords, ExtrasOfRunsAreWhatFollowsThePlus) {
  EXPECT_EQ(read_vdbench_words({"-fa", "+", "iorate=5"})->options.run_extras, "iorate=5");
  EXPECT_FALSE(read_vdbench_words({"-fa", "+ iorate=5"}));
  EXPECT_FALSE(read_vdbench_words({"-fa", "+"}));
}

TEST(VdbenchWords, JournalsValidateAndFormatsAreOverridden) {
  EXPECT_TRUE(read_vdbench_words({"-fa", "-jn"})->options.validate);
  EXPECT_EQ(read_vdbench_words({"-fa", "-cn"})->options.format, FormatOverride::no);
  EXPECT_EQ(read_vdbench_words({"-fa", "-co"})->options.format, FormatOverride::only);
}

TEST(VdbenchWords, WordsThatDoNothingHereAreNamed) {
  const auto words = read_vdbench_words({"-l", "10m", "-m2", "-p", "5570", "-k", "-fa", "-s"});
  ASSERT_TRUE(words) << words.error().what;
  EXPECT_EQ(words->ignored, (std::vector<std::string>{"-l", "-m", "-p", "-k"}));
  EXPECT_EQ(words->files, std::vector<std::string>{"a"});
}

TEST(VdbenchWords, WhatIsDoneAtAStallIsSaidAsEverywhere) {
  const auto words = read_vdbench_words({"-fa", "--on-stall=panic", "--allow-crash"});
  ASSERT_TRUE(words) << words.error().what;
  EXPECT_EQ(words->policy.on_stall, "panic");
  EXPECT_TRUE(words->policy.allow_crash);
  EXPECT_EQ(read_vdbench_words({"-fa"})->policy.on_stall, "report");
}

TEST(VdbenchWords, QuietIsOneOfThem) {
  const auto words = read_vdbench_words({"-fa", "--quiet", "-e5"});
  ASSERT_TRUE(words) << words.error().what;
  EXPECT_TRUE(words->quiet);
  EXPECT_FALSE(read_vdbench_words({"-fa"})->quiet);
  EXPECT_FALSE(read_vdbench_words({"-fa", "--quiet=yes"}));
}

TEST(VdbenchWords, WhatItDoesNotKnowIsRefused) {
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"-s"},
                                              {"file"},
                                              {"-fa", "-e", "60s"},
                                              {"-fa", "-e"},
                                              {"-fa", "-z5"},
                                              {"-fa", "-jr"},
                                              {"-fa", "-o"},
                                              {"-fa", "-vx"},
                                              {"-fa", "-cx"},
                                              {"-fa", "-jo"},
                                              {"-fa", "-m", "x"},
                                              {"-fa", "-i", "-5"}})
    EXPECT_FALSE(read_vdbench_words(bad)) << bad.back();
}

}  // namespace
}  // namespace stallproof
