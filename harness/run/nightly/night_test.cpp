// SPDX-License-Identifier: Apache-2.0
#include "harness/run/nightly/night.h"

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <algorithm>

#include "harness/run/nightly/night_file.h"
#include "harness/run/nightly/night_plan.h"
#include "harness/run/nightly/night_words.h"

namespace stallproof {
namespace {

constexpr const char* kLoads = "[[process]]\n[[process.load]]\nworkload = \"direct-io\"\n";

NightPlan parsed(const std::string& text, const NightWords& words = {}) {
  auto night = parse_night(text, "n.toml", words);
  EXPECT_TRUE(night) << night.error().what;
  return night ? *night : NightPlan{};
}

std::string problem(const std::string& text) {
  const auto night = parse_night(text, "n.toml");
  return night ? "parsed" : night.error().what;
}

bool has(const CommandWords& words, const std::string& option, const std::string& value) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i)
    if (words[i] == option && words[i + 1] == value) return true;
  return false;
}

TargetLook target(const std::string& path) {
  return {.path = path, .free_bytes = 64ULL << 30U, .fstype = "ext4", .source = "/dev/x"};
}

TEST(NightFile, WhatInitWritesIsANightWithLoadsAndACanary) {
  const auto text =
      night_file_text("data", {target("/mnt/a"), target("/mnt/b")}, "/var/lib/x", 40'000'000'000);
  ASSERT_TRUE(text) << text.error().what;
  const NightPlan night = parsed(*text);
  EXPECT_EQ(night.targets, (std::vector<std::string>{"/mnt/a", "/mnt/b"}));
  EXPECT_EQ(night.duration, 8 * 3600 * kSecond);
  EXPECT_EQ(night.output, "/var/lib/x");
  EXPECT_EQ(night.keep_days, 30U);
  EXPECT_EQ(night.keep_gb, 10);
  EXPECT_EQ(night.plan.name, "data");
  EXPECT_EQ(night.plan.processes.size(), 1U);
  EXPECT_TRUE(wants_canary(night.plan));
}

TEST(NightFile, EveryKeyThatItOffersInACommentIsKnown) {
  auto text = *night_file_text("data", {target("/mnt/a")}, "/var/lib/x", 40'000'000'000);
  for (const std::string key : {"# min_hours", "# known", "# listen", "# on_stall", "# blocked_for",
                                "# build", "# [notify]", "# command = [\"/usr"}) {
    const auto at = text.find(key);
    ASSERT_NE(at, std::string::npos) << key;
    text.erase(at, 2);
  }
  const NightPlan night = parsed(text);
  EXPECT_EQ(night.on_stall, "sysrq");
  EXPECT_EQ(night.labels.at("build"), "3.2.1-rc4");
  EXPECT_EQ(night.plan.notify.size(), 2U);
}

TEST(NightParse, AFileOfTwoLinesAndALoadIsEnough) {
  const NightPlan night = parsed(std::string("[nightly]\ntargets = [\"/mnt\"]\n") + kLoads);
  EXPECT_EQ(night.plan.target, "/mnt");
  EXPECT_EQ(night.plan.duration, 8 * 3600 * kSecond);
  EXPECT_FALSE(night.keep_days.has_value());
}

TEST(NightParse, MistakesAreNamedWithTheirPlace) {
  const std::string begin = "[nightly]\ntargets = [\"/mnt\"]\n";
  EXPECT_EQ(problem("[nightly]\n" + std::string(kLoads)).substr(0, 40),
            "n.toml:1:1: [nightly]: targets: is missi");
  EXPECT_NE(problem(begin + "keep_day = 3\n" + kLoads).find("n.toml:3:1: [nightly]: unknown key"),
            std::string::npos);
  EXPECT_NE(problem(begin + "keep_gb = 0\n" + kLoads).find("keep_gb: is zero"), std::string::npos);
  EXPECT_NE(problem(begin + "duration = \"long\"\n" + kLoads).find("n.toml:3:"), std::string::npos);
  EXPECT_NE(problem(begin).find("there is no [[process]]"), std::string::npos);
  EXPECT_NE(problem(begin + kLoads + "[surprise]\na = 1\n").find("surprise"), std::string::npos);
  EXPECT_NE(problem(begin + "output = \"here\"\n" + kLoads).find("not absolute"),
            std::string::npos);
  EXPECT_NE(problem(begin + "on_stall = \"panic\"\n" + kLoads).find("allow_crash"),
            std::string::npos);
  EXPECT_NE(problem(begin + kLoads + "[labels]\nnight = \"1\"\n").find("the night's own"),
            std::string::npos);
  EXPECT_NE(problem("[nightly\n").find("n.toml:1:"), std::string::npos);
}

TEST(NightParse, WhatTwoPlacesWouldSayIsRefused) {
  const std::string begin = "[nightly]\ntargets = [\"/mnt\"]\n";
  EXPECT_NE(problem(begin + kLoads + "[plan]\nduration = \"1h\"\n").find("n.toml:7:"),
            std::string::npos);
  EXPECT_NE(problem(begin + "command = [\"x\"]\n" + kLoads).find("process"), std::string::npos);
  EXPECT_NE(problem(begin + "command = [\"x\"]\nvdbench = [\"y\"]\n").find("one of them"),
            std::string::npos);
  EXPECT_NE(
      problem(begin + "command = [\"x\"]\n[thresholds]\nmax_dropouts = 1\n").find("max_dropouts"),
      std::string::npos);
}

TEST(NightParse, WhatIsSaidOnTheCommandLineCountsMore) {
  const NightPlan night =
      parsed(std::string("[nightly]\n") + kLoads + "[labels]\nbuild = \"1\"\nrig = \"a\"\n",
             {.targets = {"/mnt/b"},
              .duration = 5 * kSecond,
              .labels = {{"build", "2"}},
              .output = "/out"});
  EXPECT_EQ(night.targets, std::vector<std::string>{"/mnt/b"});
  EXPECT_EQ(night.plan.duration, 5 * kSecond);
  EXPECT_EQ(night.labels.at("build"), "2");
  EXPECT_EQ(night.labels.at("rig"), "a");
  EXPECT_EQ(night.output, "/out");
}

TEST(NightWords, LoadsAreAPlanOnATarget) {
  const NightPlan night = parsed(std::string("[nightly]\ntargets = [\"/mnt\"]\nlisten = 9464\n"
                                             "on_stall = \"sysrq\"\n") +
                                 kLoads + "[labels]\nbuild = \"3 rc\"\n");
  const CommandWords words = run_words(night, "/mnt", "/n/plan.toml", "n1");
  ASSERT_GE(words.size(), 2U);
  EXPECT_EQ(words[0] + " " + words[1], "run /n/plan.toml");
  EXPECT_TRUE(has(words, "--target", "/mnt"));
  EXPECT_TRUE(has(words, "--label", "build=3 rc"));
  EXPECT_TRUE(has(words, "--label", "night=n1"));
  EXPECT_TRUE(has(words, "--listen", "9464"));
  EXPECT_TRUE(has(words, "--on-stall", "sysrq"));
  const CommandWords gate = gate_words(night, {"/r/1"}, "/n");
  EXPECT_EQ(std::count(gate.begin(), gate.end(), "--no-canary"), 0);
  EXPECT_TRUE(has(gate, "--junit", "/n/junit.xml"));
}

TEST(NightWords, ACommandIsWatchedWithItsTarget) {
  const NightPlan night = parsed(
      "[nightly]\ntargets = [\"/mnt\"]\nduration = \"1h\"\ncommand = [\"fio\", "
      "\"--directory=$target\"]\n"
      "[thresholds]\nfail_after = \"5s\"\n[notify]\ncommand = [\"tell\", \"it's\"]\n");
  const CommandWords words = run_words(night, "/mnt", "", "n1");
  EXPECT_EQ(words.front(), "watch");
  EXPECT_EQ(words.back(), "--directory=/mnt");
  EXPECT_TRUE(has(words, "--duration", "3600000ms"));
  EXPECT_TRUE(has(words, "--fail-after", "5000ms"));
  EXPECT_TRUE(has(words, "--notify", "tell 'it'\\''s'"));
  EXPECT_TRUE(has(words, "--canary", "try"));
  const CommandWords gate = gate_words(night, {"/r/1"}, "/n");
  EXPECT_EQ(std::count(gate.begin(), gate.end(), "--no-canary"), 0);
}

TEST(NightWords, ANightMayForbidTheCanary) {
  const std::string begin = "[nightly]\ntargets = [\"/mnt\"]\n";
  for (const std::string load : {"command = [\"fio\"]\n", "vdbench = [\"a.parm\"]\n"}) {
    const NightPlan night = parsed(begin + load + "[canary]\nenabled = false\n");
    EXPECT_TRUE(has(run_words(night, "/mnt", "", "n1"), "--canary", "no"));
    const CommandWords gate = gate_words(night, {"/r/1"}, "/n");
    EXPECT_EQ(std::count(gate.begin(), gate.end(), "--no-canary"), 1);
    EXPECT_NE(problem(begin + load + "[canary]\nwhen = [\"beside\"]\n").find("when"),
              std::string::npos);
  }
}

TEST(NightWords, VdbenchsFilesNeedNoTarget) {
  const NightPlan night = parsed("[nightly]\nvdbench = [\"a.parm\", \"lun=/dev/x\"]\n");
  const CommandWords words = run_words(night, "", "", "n1");
  ASSERT_GE(words.size(), 3U);
  EXPECT_EQ(words[1] + " " + words[2], "a.parm lun=/dev/x");
  EXPECT_EQ(std::count(words.begin(), words.end(), "--target"), 0);
  EXPECT_TRUE(has(words, "--canary", "try"));
}

TEST(NightPreview, IsTomlWhoseCommentsAreTheCommands) {
  const std::string label = "[labels]\nnote = \"two\\nlines\"\n";
  const NightPlan loads = parsed(std::string("[nightly]\ntargets = [\"/mnt\"]\n") + kLoads + label);
  const NightPlan command =
      parsed("[nightly]\ntargets = [\"/mnt\"]\ncommand = [\"true\"]\n" + label);
  for (const NightPlan* night : {&loads, &command}) {
    const std::string text = night_preview(*night);
    EXPECT_EQ(text.find("# stallproof "), 0U) << text;
    EXPECT_NE(text.find("\n# stallproof gate "), std::string::npos) << text;
    EXPECT_NO_THROW(static_cast<void>(toml::parse(text))) << text;
  }
}

TEST(NightWords, ALineForAShellIsQuoted) {
  EXPECT_EQ(shell_line({"run", "a b", "it's", "k=v"}), "stallproof run 'a b' 'it'\\''s' k=v");
}

}  // namespace
}  // namespace stallproof
