// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_plan.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "harness/run/plan/toml_words.h"

namespace stallproof {
namespace {

std::string here() { return std::filesystem::current_path().string(); }

TEST(VdbenchPlan, SaysWhatTheRunWasGiven) {
  VdbenchOptions options{.files = {"a.parm", "/p/b"}, .values = {"lun=/mnt/x y"}};
  EXPECT_EQ(vdbench_plan_toml(options, {"/mnt/x y"}),
            "[vdbench]\ncommand = \"vdbench\"\nfiles = [" + toml_quoted(here() + "/a.parm") +
                ", \"/p/b\"]\nvalues = [\"lun=/mnt/x y\"]\nengine = \"psync\"\njvm = true\n"
                "options = []\n");
}

TEST(VdbenchPlan, NamesThatMeanAnythingInTheirDirectoryOnlyKeepIt) {
  const std::string text = vdbench_plan_toml({.files = {"a.parm"}}, {"/mnt/x", "lun"});
  EXPECT_NE(text.find("directory = " + toml_quoted(here()) + "\nfiles = [\"a.parm\"]\n"),
            std::string::npos)
      << text;
  EXPECT_NE(vdbench_plan_toml({.files = {"/a=b/c"}}, {}).find("directory = "), std::string::npos);
}

TEST(VdbenchPlan, OptionsAreWordsOfTheCommandLineWithThePlusAtTheEnd) {
  VdbenchOptions options{.files = {"/p"},
                         .engine = IoEngine::uring,
                         .jvm = false,
                         .lenient = true,
                         .vdbench_codes = false,
                         .canary = CanaryWish::no};
  options.plan = {.elapsed = 60,
                  .validate = true,
                  .read_after_write = true,
                  .format = FormatOverride::only,
                  .run_extras = "iorate=max"};
  options.thresholds.stall_after = 1500 * kMillisecond;
  options.thresholds.without = 1;
  const std::string text = vdbench_plan_toml(options, {});
  EXPECT_NE(text.find("command = \"run\"\n"), std::string::npos) << text;
  EXPECT_NE(text.find("engine = \"io_uring\"\njvm = false\n"), std::string::npos) << text;
  EXPECT_NE(text.find("options = [\"-vr\", \"-e\", \"60\", \"-co\", \"--lenient\", "
                      "\"--canary\", \"no\", \"--stall-after\", \"1500ms\", \"--without\", "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(", \"+iorate=max\"]\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace stallproof
