// SPDX-License-Identifier: Apache-2.0
// The stalls that must come: each closes soon after arming and heals by aborting the connection.
#include <gtest/gtest.h>

#include <map>

#include "workloads/testing/experiment.h"

namespace stallproof {
namespace {

constexpr Nanos kWarmUp = kSecond / 5;
constexpr Nanos kStallWithin = 5 * kSecond;
constexpr std::uint64_t kTreeFile = 64U << 20U;

class Stall : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = experiment_unsupported()) GTEST_SKIP() << *reason;
  }

  void start(const Experiment::Plan& plan) {
    auto started = Experiment::start(plan);
    ASSERT_TRUE(started) << started.error().what;
    experiment_ = std::move(*started);
    sleep_for(kWarmUp);
  }
  bool stalls_when_armed(Behaviour behaviour) {
    experiment_->arm(behaviour);
    return experiment_->stalled_by(Deadline::in(kStallWithin));
  }
  void expect_healed() {
    EXPECT_TRUE(experiment_->heal());
    EXPECT_EQ(experiment_->finish(), "");
  }
  std::unique_ptr<Experiment> experiment_;
};

TEST_F(Stall, ReadErrorClosesTheCycleAndAbortHeals) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  ASSERT_TRUE(stalls_when_armed(Behaviour::read_error));
  EXPECT_GT(experiment_->panel().hazards, 0U);
  expect_healed();
}

TEST_F(Stall, InvalidationClosesTheCycleAndAbortHeals) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  ASSERT_TRUE(stalls_when_armed(Behaviour::invalidate));
  EXPECT_GT(experiment_->panel().hazards, 0U);
  expect_healed();
}

TEST_F(Stall, OpenHazardNamesAFaulterThatIsInFlight) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  ASSERT_TRUE(stalls_when_armed(Behaviour::read_error));
  unsigned open = 0;
  Board& board = experiment_->board();
  for (const OpenHazard& hazard : experiment_->panel().open_hazards) {
    if (hazard.tid == 0) continue;
    ++open;
    bool found = false;
    for (const BoardSlot& slot : board.slots_of(*board.find_load("mapped-fault")))
      found |= slot.tid == hazard.tid && slot.op_offset == hazard.offset && slot.op_started_ns != 0;
    EXPECT_TRUE(found) << "tid " << hazard.tid << " offset " << hazard.offset;
  }
  EXPECT_GT(open, 0U);
  expect_healed();
}

TEST_F(Stall, KillingTheWorkerHealsToo) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  ASSERT_TRUE(stalls_when_armed(Behaviour::read_error));
  EXPECT_TRUE(experiment_->kill_worker_by(Deadline::in(kSecond)));
  EXPECT_EQ(experiment_->finish(), "");
}

TEST_F(Stall, SigtermToTheServerAbortsAndHeals) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  ASSERT_TRUE(stalls_when_armed(Behaviour::read_error));
  experiment_->terminate_ffs();
  EXPECT_TRUE(experiment_->ffs_ended_by(Deadline::in(kSecond)));
  EXPECT_EQ(experiment_->finish(), "");
}

TEST_F(Stall, EndOfTheConnectionEndsTheServer) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  EXPECT_TRUE(experiment_->heal());
  EXPECT_TRUE(experiment_->ffs_ended_by(Deadline::in(kSecond)));
  EXPECT_EQ(experiment_->finish(), "");
}

TEST_F(Stall, WorkerStoppedInMidStallExitsAndSaysThatThreadsNeverLeft) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  ASSERT_TRUE(stalls_when_armed(Behaviour::read_error));
  EXPECT_EQ(experiment_->finish(), "worker: exit 3; ");
}

TEST_F(Stall, HashedQueuesStallWithServiceThreadZeroIdle) {
  ASSERT_NO_FATAL_FAILURE(
      start({.ffs_words = {"queue=hashed"}, .worker_words = {"hashed-queues=4"}}));
  ASSERT_TRUE(stalls_when_armed(Behaviour::read_error));
  const auto states = experiment_->ffs_thread_states();
  for (const auto& [name, state] : std::map<std::string, char>{{"dataio_srv/0", 'S'},
                                                               {"dataio_srv/1", 'D'},
                                                               {"dataio_srv/2", 'D'},
                                                               {"dataio_srv/3", 'D'},
                                                               {"ffs_recv", 'S'}}) {
    ASSERT_TRUE(states.contains(name)) << name;
    EXPECT_EQ(states.at(name), state) << name;
  }
  expect_healed();
}

// By O_DIRECT, which takes the client's lock, and by the ioctl: a file that was written is no safer
// than one that was always there.
TEST_F(Stall, FileOfTheTreeStallsLikeDataOnReadErrors) {
  ASSERT_NO_FATAL_FAILURE(start({.ffs_words = {"writable=yes", "direct-open=lock-client"},
                                 .worker_words = {"pin=1"},
                                 .tree_file = kTreeFile}));
  ASSERT_TRUE(stalls_when_armed(Behaviour::read_error));
  EXPECT_GT(experiment_->panel().hazards, 0U);
  EXPECT_EQ(experiment_->mismatches(), 0U);
  expect_healed();
}

TEST_F(Stall, FileOfTheTreeStallsLikeDataOnInvalidation) {
  ASSERT_NO_FATAL_FAILURE(start({.ffs_words = {"writable=yes"}, .tree_file = kTreeFile}));
  ASSERT_TRUE(stalls_when_armed(Behaviour::invalidate));
  EXPECT_GT(experiment_->panel().hazards, 0U);
  EXPECT_EQ(experiment_->mismatches(), 0U);
  expect_healed();
}

// The second deadlock, in which the writer has no part (and may go on): a service thread that sends
// the invalidation itself waits for the folio lock of a page that its own pool must read.
TEST_F(Stall, ServiceThreadThatNotifiesWaitsForItsOwnPool) {
  ASSERT_NO_FATAL_FAILURE(start({.ffs_words = {"notifier=service", "service-threads=2"},
                                 .worker_words = {"hot-pages=4", "pin=1"},
                                 .faulters = 16}));
  experiment_->arm(Behaviour::invalidate);
  ASSERT_TRUE(
      experiment_->stalled_by(Deadline::in(2 * kStallWithin), {"direct-read", "mapped-fault"}));
  expect_healed();
}

}  // namespace
}  // namespace stallproof
