// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/explanation_list.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

TEST(ExplanationList, OneStaysAsItIs) {
  for (const char* format : {"text", "json", "dot", "svg"})
    EXPECT_EQ(*as_one_document({"{ }\n"}, format), "{ }\n") << format;
}

TEST(ExplanationList, SeveralAreOneJsonDocumentWithTheirKeysInOrder) {
  const auto text = as_one_document({"{\"class\":\"b\",\"a\":1}\n", "{\"class\":\"c\"}\n"}, "json");
  ASSERT_TRUE(text) << text.error().what;
  const auto all = nlohmann::ordered_json::parse(*text);
  EXPECT_EQ(all.dump(), R"({"schema":1,"explanations":[{"class":"b","a":1},{"class":"c"}]})");
  EXPECT_TRUE(text->ends_with("}\n"));
}

TEST(ExplanationList, SeveralTextsFollowEachOther) {
  EXPECT_EQ(*as_one_document({"one\n", "two\n"}, "text"), "one\n\ntwo\n");
}

TEST(ExplanationList, SeveralPicturesAreRefused) {
  const auto two = as_one_document({"<svg/>\n", "<svg/>\n"}, "svg");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().origin, Origin::user);
  EXPECT_NE(two.error().what.find("name one incident"), std::string::npos) << two.error().what;
}

}  // namespace
}  // namespace stallproof
