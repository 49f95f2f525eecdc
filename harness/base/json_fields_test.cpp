// SPDX-License-Identifier: Apache-2.0
#include "harness/base/json_fields.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

template <class Number>
std::string problem_of(const char* text) {
  const auto document = nlohmann::json::parse(text);
  std::string problem;
  Number into{};
  JsonFields(document, "", problem).number("n", into);
  return problem;
}

TEST(JsonFields, NumbersThatDoNotFitAreRefused) {
  EXPECT_EQ(problem_of<std::uint64_t>(R"({"n":-1})"), "n: out of range");
  EXPECT_EQ(problem_of<std::int32_t>(R"({"n":18446744073709551615})"), "n: out of range");
  EXPECT_EQ(problem_of<std::uint64_t>(R"({"n":18446744073709551615})"), "");
  EXPECT_EQ(problem_of<std::int32_t>(R"({"n":-1})"), "");
}

TEST(JsonFields, TimesThatNanosecondsCannotHoldAreRefused) {
  const auto document = nlohmann::json::parse(R"({"t":1e14})");
  std::string problem;
  std::optional<Nanos> into;
  JsonFields(document, "", problem).milliseconds("t", into);
  EXPECT_EQ(problem, "t: out of range");
}

}  // namespace
}  // namespace stallproof
