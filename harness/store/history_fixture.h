// SPDX-License-Identifier: Apache-2.0
// A state directory with made run directories, for tests of the history.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "harness/base/file.h"
#include "harness/store/history.h"
#include "harness/store/verdict.h"

namespace stallproof {

// A run of one hour, by what it differs in.
struct FixtureRun {
  std::string build;
  std::string started = "2026-06-03T10:00:00.000+00:00";
  std::string signature;  // of one failing stall; empty: it passed
  std::string scenario;
  std::uint64_t ops = 3'600'000;
  Outcome outcome = Outcome::pass;  // without a signature
};

class HistoryFixture : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "stallproof-history-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = std::filesystem::canonical(pattern).string();
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void save(const std::string& name, const FixtureRun& made) const {
    save_at(root_ + "/runs/" + name, name, made);
  }
  void save_at(const std::string& directory, const std::string& name,
               const FixtureRun& made) const {
    Verdict verdict;
    verdict.run = name;
    verdict.node = "node1";
    verdict.scenario = made.scenario;
    verdict.started = made.started;
    verdict.duration_s = 3600;
    verdict.outcome = made.signature.empty() ? made.outcome : Outcome::fail;
    if (!made.build.empty()) verdict.labels["build"] = made.build;
    verdict.workloads["reader"] = {.ops = made.ops, .p99_us = 120.0};
    if (!made.signature.empty())
      verdict.stalls.push_back({.id = "001",
                                .stall_class = made.signature.substr(0, 1),
                                .signature = made.signature,
                                .onset = made.started,
                                .failing = true});
    ASSERT_TRUE(make_directories(directory));
    std::ofstream(directory + "/verdict.json") << verdict_json(verdict);
  }
  [[nodiscard]] std::unique_ptr<History> open() const {
    auto history = History::open(root_);
    EXPECT_TRUE(history) << (history ? "" : history.error().what);
    return std::move(*history);
  }
  [[nodiscard]] std::unique_ptr<History> picked_up() const {
    auto history = open();
    EXPECT_TRUE(history->pick_up());
    return history;
  }
  [[nodiscard]] std::string file() const { return history_file(root_); }

  std::string root_;
};

}  // namespace stallproof
