// SPDX-License-Identifier: Apache-2.0
// The quiet twins: healthy, or with a fix and the hazard entered every second all the same.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "workloads/testing/experiment.h"

namespace stallproof {
namespace {

class Quiet : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = experiment_unsupported()) GTEST_SKIP() << *reason;
  }
  void start(const Experiment::Plan& plan) {
    auto started = Experiment::start(plan);
    ASSERT_TRUE(started) << started.error().what;
    experiment_ = std::move(*started);
  }
  // Each second must show hazards, page reads and direct reads: quiet because nothing dangerous
  // happened proves nothing.
  void expect_quiet(const Experiment::Plan& plan, Behaviour behaviour, unsigned seconds = 3) {
    ASSERT_NO_FATAL_FAILURE(start(plan));
    sleep_for(kSecond / 5);
    experiment_->arm(behaviour);
    ServicePanel& panel = experiment_->panel();
    for (unsigned second = 0; second < seconds; ++second) {
      const std::uint64_t hazards = panel.hazards;
      const std::uint64_t pages = panel.page_reads;
      const std::uint64_t directs = panel.direct_reads;
      sleep_for(kSecond);
      EXPECT_GT(panel.hazards, hazards) << "second " << second;
      EXPECT_GT(panel.page_reads, pages) << "second " << second;
      EXPECT_GT(panel.direct_reads, directs) << "second " << second;
    }
    EXPECT_EQ(experiment_->mismatches(), 0U);
    EXPECT_EQ(panel.copy_failures, 0U);
    EXPECT_EQ(experiment_->finish(), "");
  }
  std::unique_ptr<Experiment> experiment_;
};

TEST_F(Quiet, PlainBehaviourProgressesAndLeavesNothingBehind) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  std::map<std::string, std::uint64_t> before;
  for (int second = 0; second < 2; ++second) {
    sleep_for(kSecond);
    for (const char* load : {"direct-read", "mapped-fault", "mprotect-storm"}) {
      const std::uint64_t now = experiment_->ops_of(load);
      EXPECT_GT(now, before[load]) << load << " in second " << second;
      before[load] = now;
    }
  }
  EXPECT_EQ(experiment_->mismatches(), 0U);
  EXPECT_EQ(experiment_->panel().hazards, 0U);
  EXPECT_EQ(experiment_->panel().copy_failures, 0U);
  EXPECT_EQ(experiment_->finish(), "");
}

TEST_F(Quiet, FileOfTheTreeUnderReadErrorsWithPinAtSubmit) {
  expect_quiet({.ffs_words = {"writable=yes"}, .worker_words = {"pin=1"}, .tree_file = 64U << 20U},
               Behaviour::read_error);
}

TEST_F(Quiet, PinAtSubmitUnderReadErrors) {
  expect_quiet({.worker_words = {"pin=1"}}, Behaviour::read_error);
}

TEST_F(Quiet, PinAtSubmitUnderInvalidation) {
  expect_quiet({.worker_words = {"pin=1"}}, Behaviour::invalidate);
}

TEST_F(Quiet, SplitPoolUnderReadErrors) {
  expect_quiet({.ffs_words = {"page-threads=2"}}, Behaviour::read_error);
}

TEST_F(Quiet, SplitPoolUnderInvalidation) {
  expect_quiet({.ffs_words = {"page-threads=2"}}, Behaviour::invalidate);
}

TEST_F(Quiet, NoWriterUnderReadErrors) { expect_quiet({.writers = 0}, Behaviour::read_error); }

TEST_F(Quiet, NoWriterUnderInvalidation) { expect_quiet({.writers = 0}, Behaviour::invalidate); }

TEST_F(Quiet, HotPagesWithAnInvalidatorOfItsOwn) {
  expect_quiet({.ffs_words = {"service-threads=2"},
                .worker_words = {"hot-pages=4", "pin=1"},
                .faulters = 16},
               Behaviour::invalidate);
}

}  // namespace
}  // namespace stallproof
