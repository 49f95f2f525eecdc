// SPDX-License-Identifier: Apache-2.0
#include "harness/store/run_read.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "harness/base/file.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

class RunReadTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "stallproof-read-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    ::setenv("STALLPROOF_STATE_DIR", root_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("STALLPROOF_STATE_DIR");
    std::filesystem::remove_all(root_);
  }
  void put(const std::string& name, const std::string& content) const {
    const std::string path = root_ + "/" + name;
    ASSERT_TRUE(make_directories(path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(write_file_atomically(path, content));
  }
  [[nodiscard]] std::string problem_of(const std::string& name) const {
    const auto run = read_run(root_ + "/" + name);
    return run ? "" : run.error().what.substr(root_.size() + 1);
  }
  std::string root_;
};

constexpr const char* kIncident =
    R"({"id":"001","class":"mmap_lock_cycle","signature":"s","onset_ms":-2.5,"detected_ms":3.5,
        "resolved_ms":null,"loads":["direct"],"sources":["no-progress"],"detectors":["pressure"],
        "support":[{"detector":"pressure","since_ms":-1,"count":2,"what":"io"}],
        "blocked_tasks":7,"cycle_confirmed":true})";
constexpr const char* kExplanation =
    R"({"class":"mmap_lock_cycle","signature":"s","summary":"who","nodes":[{"id":"task:1",
        "kind":"task","label":"java 1","comm":"java","tid":1,"tgid":1,"state":"D",
        "role":"holder","stack":["f","g"],"note":""},{"id":"lock:a","kind":"lock","label":"m",
        "comm":"","tid":null,"tgid":null,"state":"","role":null,"stack":[],"note":"at 1"}],
        "edges":[{"from":"task:1","to":"lock:a","kind":"waits_for","mode":"write",
        "certainty":"exact","evidence":"entry 1"}],"cycle":["task:1","lock:a"],
        "root":{"holder":"task:1","first_writer":null,"lock":"lock:a"},"advice":"abort",
        "lens":"live","blind_spots":["x"]})";

TEST_F(RunReadTest, AWholeRunIsRead) {
  Verdict verdict;
  verdict.run = "r1";
  put("r/verdict.json", verdict_json(verdict));
  put("r/run.id", "other\n");
  put("r/plan.toml", "[plan]\n");
  put("r/env.json", R"({"schema":1,"node":"n","kernel":"k","cpus":2,"tool_version":"0.1.0"})");
  put("r/incidents/001/incident.json", kIncident);
  put("r/incidents/001/explanation.json", kExplanation);
  put("r/incidents/001/explanation.txt", "who\n");
  const auto run = read_run(root_ + "/r");
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_TRUE(run->problems.empty());
  EXPECT_EQ(run->id, "r1");
  EXPECT_EQ(run->plan, "[plan]\n");
  EXPECT_EQ(run->environment->cpus, 2);
  ASSERT_EQ(run->incidents.size(), 1U);
  const StoredIncident& incident = run->incidents[0];
  EXPECT_EQ(incident.onset_ms, -2.5);
  EXPECT_FALSE(incident.resolved_ms);
  EXPECT_TRUE(incident.cycle_confirmed);
  EXPECT_EQ(incident.support[0].count, 2U);
  EXPECT_EQ(incident.explanation_text, "who\n");
  ASSERT_TRUE(incident.explanation);
  EXPECT_EQ(incident.explanation->nodes[0].stack, (std::vector<std::string>{"f", "g"}));
  EXPECT_EQ(incident.explanation->nodes[0].tid, 1);
  EXPECT_FALSE(incident.explanation->nodes[1].tid);
  EXPECT_EQ(incident.explanation->edges[0].mode, "write");
  EXPECT_EQ(incident.explanation->cycle->size(), 2U);
  EXPECT_EQ(incident.explanation->root_first_writer, "");
}

TEST_F(RunReadTest, ARunWithoutAVerdictIsUnfinishedAndNoError) {
  put("r/run.id", "20261126-1\n");
  const auto run = read_run(root_ + "/r");
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_FALSE(run->verdict);
  EXPECT_EQ(run->id, "20261126-1");
}

TEST_F(RunReadTest, WhatIsNoRunIsRefusedInOneLine) {
  put("other/notes.txt", "x");
  put("cut/verdict.json", "{\"schema\": 1, ");
  put("foreign/verdict.json", R"({"verdict":"pass"})");
  EXPECT_EQ(problem_of("nowhere"), "nowhere: no such directory");
  EXPECT_EQ(problem_of("other"),
            "other: not a run directory: it has neither verdict.json, run.id nor events.jsonl "
            "(stallproof history list tells where runs are)");
  EXPECT_EQ(problem_of("cut"), "cut/verdict.json: cut, damaged or no JSON");
  EXPECT_EQ(problem_of("foreign"), "foreign/verdict.json: schema: missing");
}

TEST_F(RunReadTest, ADamagedIncidentIsAProblemAndTheRunIsStillRead) {
  put("r/verdict.json", verdict_json({}));
  put("r/incidents/001/incident.json", "{");
  put("r/incidents/002/explanation.json", R"({"class":7})");
  const auto run = read_run(root_ + "/r");
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_EQ(run->incidents.size(), 2U);
  ASSERT_EQ(run->problems.size(), 3U);
  EXPECT_NE(run->problems[0].find("001/incident.json: cut"), std::string::npos);
  EXPECT_NE(run->problems[1].find("002: has no incident.json"), std::string::npos);
  EXPECT_NE(run->problems[2].find("002/explanation.json: class: not a text"), std::string::npos);
}

TEST_F(RunReadTest, RunsAreFoundByDirectoryNameOrAsTheLatest) {
  EXPECT_EQ(find_run_directory("latest", "gate").error().what,
            "gate: no run yet in " + root_ + "/runs");
  const auto made = RunDir::create({.name_stem = "a"});
  ASSERT_TRUE(made);
  EXPECT_EQ(*find_run_directory("latest", "gate"), root_ + "/runs/latest");
  EXPECT_EQ(*find_run_directory(made->path(), "gate"), made->path());
  EXPECT_EQ(*find_run_directory(made->id(), "gate"), made->path());
  const auto none = find_run_directory("no\nsuch", "gate");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().what, "gate: no?such: no such run (give a run directory, or a name in " +
                                   root_ + "/runs; stallproof history list tells them)");
}

}  // namespace
}  // namespace stallproof
