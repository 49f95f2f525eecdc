// SPDX-License-Identifier: Apache-2.0
#include "harness/store/verdict_read.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <random>

namespace stallproof {
namespace {

using Json = nlohmann::json;

void add_fleet(FleetEntry& fleet) {
  fleet.nodes.push_back({"n7", "counted", "fail", "a stall", "run-7", "results/n7", 1.5, 60.5, 3, 1,
                         2, 100, 4096, 50.5, 900.5, -1.5, 0.5, 0.25});
  fleet.together.push_back({2001.5, 300.5, true, {"n7", "n8"}, {"a:b"}, {"001", "002"}});
  fleet.node_hours = 1.25;
}

void fill_thresholds(Verdict& verdict) {
  verdict.stall_after_ms = 1000;
  verdict.fail_after_ms = 30000;
  verdict.dropout_below = 0.25;
  verdict.max_dropouts = 3;
  verdict.max_dropout_seconds = 12.5;
  verdict.min_ops = 100;
  verdict.load_thresholds["slow"] = {2000, 60000, 0.5, 4, 9.5, 7};
}

// No field has its default, so that a field the reader forgets is seen.
Verdict full_verdict() {
  Verdict verdict;
  verdict.run = "20261126-084026.374-soak-mixed-5405";
  verdict.scenario = "mmap-lock-fault";
  verdict.settings = {{"seed", "7"}, {"plan", "soak"}};
  verdict.outcome = Outcome::fail;
  verdict.exit_code = 1;
  verdict.reasons = {"stalled: mmap_lock_cycle (incident 001)", "unseen for 2 s"};
  verdict.labels = {{"build", "3.2.1-rc4"}};
  verdict.node = "node-7";
  verdict.kernel = "6.18.44";
  verdict.tool_version = "0.1.0";
  verdict.target_path = "/mnt/data";
  verdict.target_fstype = "ffs";
  verdict.target_source = "lun";
  verdict.target_modules = {{"ffs", "3.2", "ABCDEF"}, {"ext4", "", "", true}};
  verdict.target_server = FsServerEntry{7, "ffsd", "/usr/bin/ffsd"};
  fill_thresholds(verdict);
  verdict.started = "2026-11-26T08:40:26.724+00:00";
  verdict.ended = "2026-11-26T08:41:27.206+00:00";
  verdict.duration_s = 60.482;
  verdict.stalls.push_back({"001",
                            "mmap_lock_cycle",
                            "mmap_lock_cycle:a>b",
                            "2026-11-26T08:40:28.724+00:00",
                            2001.5,
                            3001.5,
                            4000.5,
                            true,
                            {"no-progress"},
                            "incidents/001/explanation.json",
                            true,
                            "n7",
                            "003"});
  add_fleet(verdict.fleet);
  verdict.marks.push_back({"failover", 1.5, 2.5, 3.5});
  verdict.dropouts.push_back({"direct", 1.5, 2.5, 0.5});
  verdict.suspected.push_back({"direct", 3.5, 4.5});
  verdict.hazard = HazardEntry{12, 3};
  verdict.observer = {"bpf",
                      1.5,
                      2.5,
                      3.5,
                      4.5,
                      5,
                      6,
                      7.5,
                      8,
                      9,
                      10.5,
                      10.75,
                      11,
                      12,
                      13,
                      {"no kernel log"},
                      CanaryEntry{true, "fs-frozen", "a loop device", "late", 700.5, {}}};
  verdict.observer.canary->looks["after"] = {
      "fs_frozen", "frozen", 1.5, 2.5, 3.5, 4.5, 5.5, 6, "canary/after/001/", true, "late"};
  verdict.service = ServiceEntry{21, 22, 23, 24};
  verdict.timings = {1.5, 2.5, 3.5, 4.5, 5.5, 6.5};
  verdict.captures = {"sysrq", 3, {"no sysrq"}, "not crashed"};
  verdict.left_behind = {"worker 7"};
  verdict.command_exit = 130;
  verdict.workloads["direct"] = {31, 32, 33, 34, 35, 36.5, 37.5, 38.5, 39};
  return verdict;
}

std::string problem_of(const std::string& text) {
  const auto verdict = parse_verdict(text, "verdict.json");
  return verdict ? "" : verdict.error().what;
}

// The document with the value of `pointer` replaced.
std::string with(const char* pointer, const Json& value) {
  Json document = Json::parse(verdict_json(full_verdict()));
  document[Json::json_pointer(pointer)] = value;
  return document.dump();
}

TEST(VerdictRead, EveryFieldComesBack) {
  const std::string written = verdict_json(full_verdict());
  const auto read = parse_verdict(written, "verdict.json");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(verdict_json(*read), written);
}

TEST(VerdictRead, AnEmptyVerdictComesBackAndStaysUnknown) {
  const auto read = parse_verdict(verdict_json({}), "verdict.json");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(verdict_json(*read), verdict_json({}));
  EXPECT_EQ(read->outcome, Outcome::unknown);
}

TEST(VerdictRead, KeysThatAnOlderVersionDidNotWriteAreAbsent) {
  Json document = Json::parse(verdict_json(full_verdict()));
  for (const char* key : {"captures", "timings", "suspected", "hazard", "settings"})
    document.erase(key);
  document["observer"].erase("gaps_ms");
  document["observer"]["canary"] = nullptr;
  document["thresholds"].erase("loads");
  document["a key of a later version"] = {1, 2};
  const auto read = parse_verdict(document.dump(), "verdict.json");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_FALSE(read->observer.canary);
  EXPECT_FALSE(read->hazard);
  EXPECT_EQ(read->captures.policy, "report");
}

TEST(VerdictRead, ErrorsNameFileAndField) {
  EXPECT_EQ(problem_of(with("/stalls/0/failing", "no")),
            "verdict.json: stalls[0].failing: neither true nor false");
  EXPECT_EQ(problem_of(with("/workloads/direct/ops", -1)),
            "verdict.json: workloads.direct.ops: not a whole number from 0");
  EXPECT_EQ(problem_of(with("/observer/canary/passed", nullptr)),
            "verdict.json: observer.canary.passed: neither true nor false");
  EXPECT_EQ(problem_of(with("/duration_s", -0.5)), "verdict.json: duration_s: not a number from 0");
  EXPECT_EQ(problem_of(with("/verdict", "green\n")),
            "verdict.json: verdict: 'green?' is neither pass, fail nor unknown");
  EXPECT_EQ(problem_of("{"), "verdict.json: cut, damaged or no JSON");
  EXPECT_EQ(problem_of("[]"), "verdict.json: not a JSON object, so not written by stallproof");
  EXPECT_EQ(problem_of("{}"), "verdict.json: schema: missing");
}

// Each of these, read as nothing, would turn a failed run green.
TEST(VerdictRead, ListsThatAreGoneAreNoEmptyLists) {
  for (const char* key : {"stalls", "workloads", "observer"}) {
    Json document = Json::parse(verdict_json(full_verdict()));
    document.erase(key);
    EXPECT_EQ(problem_of(document.dump()), "verdict.json: " + std::string(key) + ": missing")
        << key;
  }
  EXPECT_EQ(problem_of(with("/stalls", nullptr)), "verdict.json: stalls: not a list");
  EXPECT_EQ(problem_of(with("/workloads", nullptr)), "verdict.json: workloads: not an object");
  EXPECT_EQ(problem_of(with("/stalls", Json::array({1}))),
            "verdict.json: stalls[0]: not an object");
}

TEST(VerdictRead, ANewerSchemaIsRefusedAndSaysWhatToTake) {
  EXPECT_NE(problem_of(with("/schema", 2)).find("take the stallproof that wrote it"),
            std::string::npos);
}

void visit(Json& value, const std::function<void(Json&)>& change) {
  change(value);
  if (value.is_structured())
    for (Json& below : value) visit(below, change);
}

TEST(VerdictRead, AnyValueOfAnotherKindIsReadOrRefusedInOneLine) {
  const Json whole = Json::parse(verdict_json(full_verdict()));
  const std::vector<Json> kinds{nullptr, -1.5, "x\ny", Json::array({1}), Json::object({{"a", 1}})};
  Json document = whole;
  std::size_t refused = 0;
  visit(document, [&](Json& value) {
    if (&value == &document) return;
    const Json before = value;
    for (const Json& kind : kinds) {
      value = kind;
      const std::string problem = problem_of(document.dump());
      EXPECT_EQ(problem.find('\n'), std::string::npos) << problem;
      EXPECT_TRUE(problem.empty() || problem.starts_with("verdict.json: ")) << problem;
      refused += problem.empty() ? 0 : 1;
    }
    value = before;
  });
  EXPECT_GT(refused, 200U);
}

TEST(VerdictRead, ACutFileIsAlwaysRefused) {
  const std::string whole = verdict_json(full_verdict());
  for (std::size_t length = 0; length + 2 < whole.size(); length += 3)
    EXPECT_NE(problem_of(whole.substr(0, length)), "") << length;
}

TEST(VerdictRead, DamagedBytesNeverCrashIt) {
  const std::string whole = verdict_json(full_verdict());
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string damaged = whole;
    for (int times = 1 + static_cast<int>(random() % 4); times > 0; --times)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    const std::string problem = problem_of(damaged);
    ASSERT_EQ(problem.find('\n'), std::string::npos) << problem;
  }
}

}  // namespace
}  // namespace stallproof
