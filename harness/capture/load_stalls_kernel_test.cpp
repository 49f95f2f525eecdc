// SPDX-License-Identifier: Apache-2.0
// Loads that stand still by themselves, made here and now: stopped, frozen, without a CPU, waiting
// for each other; and what looks like it and is not.
#include <gtest/gtest.h>
#include <time.h>

#include <atomic>
#include <csignal>
#include <mutex>

#include "harness/capture/testing/lab_cgroup.h"
#include "harness/capture/testing/lab_process.h"
#include "harness/capture/testing/stall_lab.h"

namespace stallproof::testing {
namespace {

std::mutex first, second;  // in the load's process

bool nothing() { return true; }

void sleep_often() {
  for (;;) {
    const timespec span{.tv_sec = 10, .tv_nsec = 0};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &span, nullptr);
  }
}
void lock_both(std::mutex& one, std::mutex& other) {
  const std::lock_guard hold(one);
  ::usleep(400'000);  // until the other one holds his
  const std::lock_guard both(other);
}
[[noreturn]] void spin() {
  for (std::atomic<std::uint64_t> rounds = 0;;) ++rounds;
}

class LoadStallTest : public StallTest {
 protected:
  LabProcess load_;
};

TEST_F(LoadStallTest, ASignalThatStopsTheLoadIsNamed) {
  ASSERT_TRUE(load_.start(nothing, {{"sleeper", sleep_often}}));
  ASSERT_TRUE(load_.go(0));
  ::kill(load_.pid(), SIGSTOP);
  ::usleep(100'000);
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "stopped:load>signal") << result.summary;
  EXPECT_NE(result.advice.find("kill -CONT " + std::to_string(load_.pid())), std::string::npos);
}

TEST_F(LoadStallTest, ThreadsOfOneProgramThatWaitForEachOtherAreNoKernelMatter) {
  ASSERT_TRUE(load_.start(nothing, {{"one", [] { lock_both(first, second); }},
                                    {"two", [] { lock_both(second, first); }}}));
  ASSERT_TRUE(load_.go(0));
  ASSERT_TRUE(load_.go(1));
  ::usleep(500'000);
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "userspace:load>futex") << result.summary;
}

TEST_F(LoadStallTest, ALoadThatSleepsBetweenItsStepsIsQuiet) {
  ASSERT_TRUE(load_.start(nothing, {{"one", sleep_often}, {"two", sleep_often}}));
  ASSERT_TRUE(load_.go(0));
  ASSERT_TRUE(load_.go(1));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.stall_class, "none") << result.summary;
}

TEST_F(LoadStallTest, TheParentOfAVforkIsQuiet) {
  ASSERT_TRUE(load_.start(nothing, {{"parent", [] {
                                       if (::vfork() == 0) {
                                         ::usleep(3'000'000);
                                         ::_exit(0);
                                       }
                                     }}}));
  ASSERT_TRUE(load_.go(0));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.stall_class, "none") << result.summary;
}

class GroupStallTest : public StallTest {
 protected:
  void TearDown() override {
    if (undo_) undo_();
    load_.reset();
  }
  // Joins the load to a group of this hierarchy; false where there is none.
  bool join(const std::string& hierarchy, std::vector<LabStep> steps) {
    group_ = LabCgroup::make(hierarchy);
    if (!group_) return false;
    EXPECT_TRUE(load_.emplace().start(nothing, std::move(steps)));
    EXPECT_TRUE(group_->add(load_->pid()));
    return true;
  }
  std::unique_ptr<LabCgroup> group_;
  std::optional<LabProcess> load_;
  std::function<void()> undo_;
};

TEST_F(GroupStallTest, TheFreezerOfTheFirstVersionIsNamed) {
  if (!join("freezer", {{"sleeper", sleep_often}})) GTEST_SKIP() << "no freezer hierarchy";
  undo_ = [this] { group_->set("freezer.state", "THAWED"); };
  ASSERT_TRUE(load_->go(0));
  ASSERT_TRUE(group_->set("freezer.state", "FROZEN"));
  ::usleep(100'000);
  const Explanation result = explained({load_->pid()});
  EXPECT_EQ(result.signature, "frozen:load>freezer") << result.summary;
}

TEST_F(GroupStallTest, TheFreezerOfTheSecondVersionIsNamed) {
  if (!join("unified", {{"sleeper", sleep_often}})) GTEST_SKIP() << "no unified hierarchy";
  undo_ = [this] { group_->set("cgroup.freeze", "0"); };
  ASSERT_TRUE(load_->go(0));
  ASSERT_TRUE(group_->set("cgroup.freeze", "1"));
  ::usleep(100'000);
  const Explanation result = explained({load_->pid()});
  EXPECT_EQ(result.signature, "frozen:load>freezer") << result.summary;
}

TEST_F(GroupStallTest, AQuotaThatLeavesNoCpuIsNamed) {
  if (!join("cpu", {{"spinner", spin}})) GTEST_SKIP() << "no cpu hierarchy";
  undo_ = [this] { group_->set("cpu.cfs_quota_us", "-1"); };
  ASSERT_TRUE(load_->go(0));
  ASSERT_TRUE(group_->set("cpu.cfs_period_us", "1000000"));
  ASSERT_TRUE(group_->set("cpu.cfs_quota_us", "1000"));
  ::usleep(100'000);
  const Explanation result = explained({load_->pid()});
  EXPECT_EQ(result.signature, "cpu_starved:load>cpu_quota") << result.summary;
}

}  // namespace
}  // namespace stallproof::testing
