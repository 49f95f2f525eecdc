// SPDX-License-Identifier: Apache-2.0
#include "harness/base/settings.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(Settings, AbsentKeyGivesTheFallback) {
  const Settings settings;
  EXPECT_EQ(*settings.count("threads", 4), 4U);
  EXPECT_EQ(*settings.duration("warmup", kSecond), kSecond);
}

TEST(Settings, LaterWordWins) {
  const auto settings = Settings::from_words({"a=1", "a=2"});
  ASSERT_TRUE(settings);
  EXPECT_EQ(*settings->count("a", 0), 2U);
}

TEST(Settings, WordWithoutEqualsIsRefused) {
  EXPECT_FALSE(Settings::from_words({"queue"}));
  EXPECT_FALSE(Settings::from_words({"=x"}));
}

TEST(Settings, MalformedValueNamesKeyAndValue) {
  const auto settings = Settings::from_words({"threads=many"});
  const auto count = settings->count("threads", 1);
  ASSERT_FALSE(count);
  EXPECT_NE(count.error().what.find("threads"), std::string::npos);
  EXPECT_NE(count.error().what.find("many"), std::string::npos);
}

TEST(Settings, UnknownKeyListsTheKnownOnes) {
  const auto refused = Settings::from_words({"qeue=shared"})->refuse_unknown({"queue", "warmup"});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("qeue"), std::string::npos);
  EXPECT_NE(refused.error().what.find("queue, warmup"), std::string::npos);
}

TEST(Settings, ChoiceListsWhatIsAllowed) {
  const auto settings = Settings::from_words({"queue=stack"});
  const auto choice = settings->choice("queue", "shared", {"shared", "hashed"});
  ASSERT_FALSE(choice);
  EXPECT_NE(choice.error().what.find("shared, hashed"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
