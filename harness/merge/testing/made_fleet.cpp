// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/testing/made_fleet.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "harness/base/file.h"
#include "harness/base/rfc3339.h"
#include "harness/merge/node_list.h"

namespace stallproof {
namespace {

constexpr const char* kPlan = "[plan]\nname = \"soak\"\nduration = \"10h\"\n";

}  // namespace

MadeFleet::MadeFleet() {
  std::string pattern = ::testing::TempDir() + "stallproof-merge-XXXXXX";
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  root_ = pattern;
}

MadeFleet::~MadeFleet() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

void MadeFleet::put(const std::string& name, const std::string& content) const {
  const std::string file = path(name);
  EXPECT_TRUE(make_directories(file.substr(0, file.rfind('/'))));
  EXPECT_TRUE(write_file_atomically(file, content));
}

void MadeFleet::put_node(const std::string& node, const Change& change) const {
  Verdict verdict = good_verdict(node);
  if (change) change(verdict);
  put(node + "/run.id", verdict.run + "\n");
  put(node + "/plan.toml", kPlan);
  put(node + "/env.json",
      fmt::format(R"({{"schema":1,"node":"{}","kernel":"6.18","tool_version":"0.1.0","cpus":2}})",
                  node));
  put(node + "/verdict.json", verdict_json(verdict));
  for (const StallEntry& stall : verdict.stalls) {
    const std::string folder = fmt::format("{}/incidents/{}/", node, stall.id);
    put(folder + "incident.json",
        fmt::format(
            R"({{"id":"{}","class":"{}","signature":"{}","resolved_ms":null,"loads":["direct"]}})",
            stall.id, stall.stall_class, stall.signature));
    put(folder + "explanation.json",
        fmt::format(R"({{"class":"{}","signature":"{}","summary":"java 1 waits for itself.",
        "nodes":[{{"id":"task:1","kind":"task","label":"java 1"}},
                 {{"id":"lock:a","kind":"lock","label":"mmap_lock of java"}}],
        "edges":[{{"from":"task:1","to":"lock:a","kind":"waits_for"}},
                 {{"from":"lock:a","to":"task:1","kind":"held_by"}}],
        "cycle":["task:1","lock:a"],"advice":"Abort it."}})",
                    stall.stall_class, stall.signature));
    put(folder + "explanation.txt", "java 1 waits for itself\n");
  }
}

void MadeFleet::put_unfinished(const std::string& node) const {
  put(node + "/run.id", "run-of-" + node + "\n");
  put(node + "/events.jsonl", "{\"t_ms\":1,\"event\":\"load_started\"}\n");
  put(node + "/plan.toml", kPlan);
  put(node + "/manifest.json",
      fmt::format(R"({{"schema":1,"run":"run-of-{0}","state":"running","node":"{0}",
      "kernel":"6.18","started":"2026-11-26T18:00:00.000+00:00","labels":{{"build":"3.2.1"}},
      "tool_version":"0.1.0"}})",
                  node));
}

void MadeFleet::put_coordination(const std::string& node, int rank, int count,
                                 const std::string& clock) const {
  put(node + "/env.json",
      fmt::format(R"({{"schema":1,"node":"{}","kernel":"6.18","tool_version":"0.1.0","cpus":2,
      "coordination":{{"job":"77.0","rank":{},"count":{},"share":"ranges","plan_id":"9b0d",
      "start":"2026-11-26T18:00:00.000+00:00","load_started":"2026-11-26T18:00:00.000+00:00",
      "start_late_ms":0.2,"clock":{}}}}})",
                  node, rank, count, clock));
}

Verdict good_verdict(const std::string& node) {
  Verdict verdict;
  verdict.run = "run-of-" + node;
  verdict.outcome = Outcome::pass;
  verdict.exit_code = 0;
  verdict.reasons = {"no stall"};
  verdict.labels = {{"build", "3.2.1"}};
  verdict.node = node;
  verdict.kernel = "6.18";
  verdict.tool_version = "0.1.0";
  verdict.target_path = "/mnt/data";
  verdict.target_fstype = "ffs";
  verdict.stall_after_ms = 1000;
  verdict.fail_after_ms = 30'000;
  verdict.dropout_below = 0.1;
  verdict.started = "2026-11-26T18:00:00.000+00:00";
  verdict.ended = "2026-11-27T04:00:00.000+00:00";
  verdict.duration_s = 36'000;
  verdict.observer.lens = "bpf";
  verdict.observer.canary = CanaryEntry{.passed = true};
  verdict.workloads["direct"] = {.ops = 36'000'000, .bytes = 147'456'000'000, .p99_us = 800};
  return verdict;
}

void add_stall(Verdict& verdict, double onset_ms, const std::string& signature) {
  StallEntry stall;
  stall.id = fmt::format("{:03}", verdict.stalls.size() + 1);
  stall.stall_class = signature.substr(0, signature.find(':'));
  stall.signature = signature;
  stall.onset_ms = onset_ms;
  stall.detected_ms = onset_ms + 1000;
  stall.resolved_ms = onset_ms + 40'000;
  stall.failing = true;
  stall.explanation = fmt::format("incidents/{}/explanation.json", stall.id);
  verdict.outcome = Outcome::fail;
  verdict.exit_code = 1;
  if (verdict.stalls.empty()) verdict.reasons.clear();
  verdict.reasons.push_back(fmt::format("stalled: {} (incident {})", stall.stall_class, stall.id));
  verdict.stalls.push_back(std::move(stall));
}

NodeResult good_result(const std::string& node, const MadeFleet::Change& change) {
  NodeResult result;
  result.state = NodeState::finished;
  result.node = node;
  result.directory = "/results/" + node;
  result.verdict = good_verdict(node);
  if (change) change(result.verdict);
  result.run = result.verdict.run;
  result.stalls = result.failing_stalls = result.verdict.stalls.size();
  if (const auto started = parse_rfc3339(result.verdict.started))
    result.started_ms = started->unix_ms;
  result.plan = {{"plan: plan.duration", "10h"}};
  return result;
}

NodeResult coordinated_result(const std::string& node, int rank, int count, double offset_ms) {
  NodeResult result = good_result(node);
  CoordinationFacts facts;
  facts.job = "77.0";
  facts.rank = rank;
  facts.count = count;
  facts.plan_id = "9b0d";
  facts.agreed = facts.started = true;
  facts.start_late_ms = 0.2;
  facts.against = "n1";
  facts.offset_ms = offset_ms;
  facts.error_ms = 20;
  result.coordination = facts;
  return result;
}

Merged merged_of(std::vector<NodeResult> results, const std::string& expected) {
  const auto names = parse_node_list(expected, "--expect-nodes");
  EXPECT_TRUE(names);
  auto merged =
      merge_nodes(std::move(results), {.expected = names ? *names : std::vector<std::string>{}});
  EXPECT_TRUE(merged) << (merged ? "" : merged.error().what);
  return merged ? std::move(*merged) : Merged{};
}

}  // namespace stallproof
