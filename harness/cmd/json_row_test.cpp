// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/json_row.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

TEST(JsonRow, ReadsBackAsItWasWritten) {
  std::string text;
  JsonRow(text)
      .add("word", "a\"b\\c\n\x01é")
      .add("whole", std::int64_t{-7})
      .add("real", 0.1)
      .add("none", std::optional<std::int64_t>())
      .put("list", "[1]")
      .end();
  const auto row = nlohmann::json::parse(text, nullptr, false);
  ASSERT_TRUE(row.is_object()) << text;
  EXPECT_EQ(row["word"], "a\"b\\c\n\x01é");
  EXPECT_EQ(row["whole"], -7);
  EXPECT_EQ(row["real"], 0.1);
  EXPECT_TRUE(row["none"].is_null());
  EXPECT_EQ(row["list"][0], 1);
}

TEST(JsonRow, RowsStandBehindOneAnother) {
  std::string text = "[";
  JsonRow(text).add("a", std::int64_t{1}).add("b", 2.5).end();
  text += ",\n";
  JsonRow(text).add("a", "x").end();
  text += "]";
  EXPECT_EQ(text, "[{\"a\": 1, \"b\": 2.5},\n{\"a\": \"x\"}]");
}

TEST(JsonRow, NoValueBreaksTheDocument) {
  std::string text;
  JsonRow(text).add("bytes", "\xff\xfe").add("nan", std::nan("")).add("inf", HUGE_VAL).end();
  EXPECT_TRUE(nlohmann::json::accept(text)) << text;
  std::string empty;
  JsonRow(empty).end();
  EXPECT_EQ(empty, "{}");
}

}  // namespace
}  // namespace stallproof
