// SPDX-License-Identifier: Apache-2.0
// Parameter files and the plans that vdbench itself makes of them (workloads/vdbench/golden).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/testing/tree_places.h"
#include "harness/cmd/vdbench_words.h"
#include "workloads/vdbench/plan_text.h"

namespace stallproof {
namespace {

const std::string kFolder = source_file("workloads/vdbench/golden/");

nlohmann::ordered_json all_cases() {
  return nlohmann::ordered_json::parse(*read_file(kFolder + "expected.json"))["cases"];
}

std::vector<std::string> words_of(const nlohmann::ordered_json& golden) {
  std::vector<std::string> words = {"-s", "-f", kFolder + golden["parm"].get<std::string>()};
  if (golden.contains("args"))
    for (const auto& word : golden["args"]) words.push_back(word);
  return words;
}

Result<Plan> plan_of(const nlohmann::ordered_json& golden) {
  const auto words = read_vdbench_words(words_of(golden));
  if (!words) return Failure(words.error());
  return plan_parameter_files(words->files, words->values, words->options);
}

std::string expected_line(const nlohmann::ordered_json& run, const std::string& rate) {
  const std::string name = "RD=" + run["rd"].get<std::string>();
  if (run["io_rate"].is_null()) return name;
  std::string loops;
  for (auto at = run["for_loops"].begin(); at != run["for_loops"].end(); ++at)
    loops += fmt::format(" {}={}", at.key(), at.value().get<std::string>());
  std::string times = fmt::format("elapsed={}", run["elapsed"].get<int>());
  if (run["warmup"].get<int>() > 0) times += fmt::format(" warmup={}", run["warmup"].get<int>());
  const std::string tail = "For loops:" + (loops.empty() ? " None" : loops);
  if (!rate.starts_with("fwdrate="))
    return fmt::format("{}; I/O rate: {}; {}; {}", name, rate, times, tail);
  const bool number = rate.find_first_of("0123456789") != std::string::npos;
  return fmt::format("{}; {}; {}{} {}", name, times, rate, number ? ';' : '.', tail);
}

class VdbenchGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(VdbenchGolden, PlanIsTheOneVdbenchMakes) {
  const auto golden = all_cases()[GetParam()];
  const auto plan = plan_of(golden);
  if (golden["outcome"] == "reject") {
    ASSERT_FALSE(plan);
    if (golden.value("position", "") == "none") return;
    EXPECT_NE(plan.error().what.find(golden["parm"].get<std::string>() + ":"), std::string::npos)
        << plan.error().what;
    return;
  }
  ASSERT_TRUE(plan) << plan.error().what;
  ASSERT_EQ(plan->runs.size(), golden["runs"].size());
  for (std::size_t i = 0; i < plan->runs.size(); ++i) {
    const auto& run = golden["runs"][i];
    const std::string text = run_text(plan->runs[i], plan->file_systems);
    const std::string rate = run["io_rate"].is_null() ? "" : run["io_rate"].get<std::string>();
    if (text != expected_line(run, run.value("io_rate_run", rate))) {
      EXPECT_EQ(text, expected_line(run, rate));
    }
  }
  const std::string totals =
      fmt::format("Total amount of Run Definitions: {}; total elapsed time {} seconds\n",
                  golden["run_count"].get<int>(), golden["total_elapsed"].get<int>());
  EXPECT_TRUE(plan_text(*plan).ends_with(totals));
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  const auto cases = all_cases();
  for (auto at = cases.begin(); at != cases.end(); ++at) out.push_back(at.key());
  return out;
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string out;
  for (const char c : info.param) out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return out;
}

INSTANTIATE_TEST_SUITE_P(Files, VdbenchGolden, ::testing::ValuesIn(names()), test_name);

}  // namespace
}  // namespace stallproof
