// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/parsed_words.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <vector>

namespace stallproof {
namespace {

class ParsedWords : public ::testing::Test {
 protected:
  ParsedWords() {
    app_.require_subcommand(1);
    run_.add_option("FILE", files_);
    run_.add_option("-o,--out", out_);
    run_.add_option("--notify", notify_);
    run_.add_option("--label", labels_)->allow_extra_args(false);
    run_.add_option("COMMAND", command_);
    history_.require_subcommand(1);
    list_.add_option("--signature", signature_);
    list_.add_option("--build", build_);
    for (CLI::App* each : {&run_, &history_}) add_quiet(*each);
  }

  // The refusal; empty: understood.
  std::string parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    try {
      app_.parse(words);
    } catch (const CLI::ParseError& error) {
      return parse_refusal(app_, error);
    }
    const auto good = refuse_empty_values(*app_.get_subcommands().front());
    return good ? "" : good.error().what;
  }

  CLI::App app_{"", "stallproof"};
  CLI::App& run_ = *app_.add_subcommand("run", "");
  CLI::App& history_ = *app_.add_subcommand("history", "");
  CLI::App& list_ = *history_.add_subcommand("list", "");
  std::string files_, out_, notify_, signature_, build_;
  std::vector<std::string> labels_, command_;
};

TEST_F(ParsedWords, UnknownCommandsAndOptionsAreNamed) {
  EXPECT_EQ(parse({"bogus"}), "unknown command 'bogus' (see stallproof --help)");
  EXPECT_EQ(parse({"bogus", "run"}), "unknown command 'bogus' (see stallproof --help)");
  EXPECT_EQ(parse({"--bogus"}), "unknown option '--bogus' (see stallproof --help)");
  EXPECT_EQ(parse({"history", "bogus"}),
            "unknown command 'history bogus' (see stallproof history --help)");
  const std::string below = parse({"history", "list", "--bogus"});
  EXPECT_NE(below.find("--bogus"), std::string::npos);
  EXPECT_NE(below.find("(see stallproof history list --help)"), std::string::npos);
}

TEST_F(ParsedWords, NoWordAtAllAsksForACommand) {
  EXPECT_NE(parse({}).find("subcommand is required (see stallproof --help)"), std::string::npos);
}

TEST_F(ParsedWords, EmptyValueIsRefusedByName) {
  EXPECT_EQ(parse({"run", "-o", ""}),
            "run: -o,--out: the value is empty (say one, or leave it out)");
  EXPECT_NE(parse({"run", ""}).find("run: FILE:"), std::string::npos);
  EXPECT_NE(parse({"run", "--label", "a=b", "--label", ""}).find("--label"), std::string::npos);
  EXPECT_NE(parse({"history", "list", "--signature", ""}).find("history list: --signature"),
            std::string::npos);
}

TEST_F(ParsedWords, EmptyValueStaysWhereItMeansSomething) {
  EXPECT_EQ(parse({"run", "--notify", ""}), "");
  EXPECT_EQ(parse({"run", "plan", "--", "sh", ""}), "");
  EXPECT_EQ(parse({"history", "list", "--build", ""}), "");
  EXPECT_EQ(parse({"run"}), "");
}

TEST_F(ParsedWords, QuietIsUnderstoodAtEveryLevel) {
  ASSERT_EQ(parse({"history", "list"}), "");
  EXPECT_FALSE(is_quiet(history_));
  for (const auto& words : {std::vector<std::string>{"history", "--quiet", "list"},
                            std::vector<std::string>{"history", "list", "--quiet"}}) {
    ASSERT_EQ(parse(words), "");
    EXPECT_TRUE(is_quiet(history_));
  }
  ASSERT_EQ(parse({"run", "--quiet"}), "");
  EXPECT_TRUE(is_quiet(run_));
}

}  // namespace
}  // namespace stallproof
