// SPDX-License-Identifier: Apache-2.0
#include "harness/run/preflight/preflight.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <cstdlib>
#include <filesystem>

#include "harness/base/fd.h"
#include "harness/base/file.h"
#include "harness/run/preflight/dead_scratch.h"
#include "harness/run/scratch_directory.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

class Preflight : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "stallproof-preflight-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = fs::canonical(pattern).string();
  }
  void TearDown() override { fs::remove_all(root_); }

  void put(const std::string& path, const std::string& text) const {
    const std::string whole = root_ + "/" + path;
    ASSERT_TRUE(make_directories(whole.substr(0, whole.rfind('/'))));
    ASSERT_TRUE(write_file_atomically(whole, text));
  }
  void put_task(int tid, const char* state, int switches) const {
    put(fmt::format("proc/7/task/{}/status", tid),
        fmt::format("Name:\twriter\nState:\t{} (state)\nTgid:\t7\nPid:\t{}\n"
                    "voluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t0\n",
                    state, tid, switches));
  }
  void put_settings(const char* timeout, const char* panic, const char* warnings) const {
    put("proc/sys/kernel/hung_task_timeout_secs", timeout);
    put("proc/sys/kernel/hung_task_panic", panic);
    put("proc/sys/kernel/hung_task_warnings", warnings);
  }
  [[nodiscard]] std::string proc() const { return root_ + "/proc"; }

  std::string root_;
  int waits_ = 0;
};

TEST_F(Preflight, WithoutATaskInDNobodyWaits) {
  put_task(8, "S", 1);
  const auto found =
      tasks_blocked_for(60 * kSecond, proc(), [this](Nanos) { return ++waits_ > 0; });
  EXPECT_TRUE(found.empty());
  EXPECT_EQ(waits_, 0);
}

TEST_F(Preflight, ATaskThatStaysInDIsNamed) {
  put_task(8, "D", 1);
  const auto lines = hanging_tasks(3 * kSecond, proc(), [this](Nanos) { return ++waits_ > 0; });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("writer 8 (process 7) is in D"), std::string::npos) << lines[0];
  EXPECT_EQ(waits_, 3);
}

TEST_F(Preflight, OneThatHasRunMeanwhileDoesNotHang) {
  put_task(8, "D", 1);
  const auto found = tasks_blocked_for(60 * kSecond, proc(), [this](Nanos) {
    put_task(8, "D", 2);
    return ++waits_ > 0;
  });
  EXPECT_TRUE(found.empty());
  EXPECT_EQ(waits_, 1);
}

TEST_F(Preflight, OneThatIsGoneDoesNotHang) {
  put_task(8, "D", 1);
  put_task(9, "D", 1);
  const auto found = tasks_blocked_for(5 * kSecond, proc(), [this](Nanos) {
    fs::remove_all(proc() + "/7/task/8");
    return true;
  });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].tid, 9);
}

TEST_F(Preflight, AnInterruptedLookBlamesNobody) {
  put_task(8, "D", 1);
  EXPECT_TRUE(tasks_blocked_for(60 * kSecond, proc(), [](Nanos) { return false; }).empty());
}

TEST_F(Preflight, ManyThatHangAreCounted) {
  for (int tid = 10; tid < 30; ++tid) put_task(tid, "D", 1);
  const auto lines = hanging_tasks(kSecond, proc(), [](Nanos) { return true; });
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines.back(), "15 more tasks are in D");
}

TEST_F(Preflight, AKernelThatWouldCrashOrSayNothingIsInTheWay) {
  put_settings("120\n", "0\n", "10\n");
  EXPECT_TRUE(kernel_settings_in_the_way(proc()).empty());
  put_settings("120\n", "0\n", "-1\n");
  EXPECT_TRUE(kernel_settings_in_the_way(proc()).empty());
  put_settings("120\n", "1\n", "0\n");
  EXPECT_EQ(kernel_settings_in_the_way(proc()).size(), 2U);
}

TEST_F(Preflight, AKernelThatLooksForNoHungTasksIsNot) {
  put_settings("0\n", "1\n", "0\n");
  EXPECT_TRUE(kernel_settings_in_the_way(proc()).empty());
  fs::remove_all(proc());
  EXPECT_TRUE(kernel_settings_in_the_way(proc()).empty());
}

TEST_F(Preflight, RunsThatGoOnAndRunsThatWereLeftAreToldApart) {
  EXPECT_TRUE(runs_in_the_way(root_ + "/run").empty());
  put("run/live/journal", "run live\n");
  put("run/left/journal", "run left\n");
  const Fd held(::open((root_ + "/run/live/journal").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  const auto lines = runs_in_the_way(root_ + "/run");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[0].find("/run/left: left by an earlier run"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("a run goes on: live"), std::string::npos) << lines[1];
}

TEST_F(Preflight, RoomIsAskedWhereThePlaceWillBeMade) {
  const std::string place = root_ + "/not/yet/there";
  EXPECT_TRUE(missing_room({{place, 1, "results"}}).empty());
  const auto lines = missing_room({{place, ~std::uint64_t{0}, "the results"}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("the results need"), std::string::npos) << lines[0];
}

TEST_F(Preflight, OnlyTheScratchOfADeadRunOfOursIsRemoved) {
  const std::string prefix = std::string("target/") + kScratchPrefix;
  put(prefix + "dead/file", "x");
  put(prefix + "of-another-node/file", "x");
  put("target/data", "x");
  put("runs/dead/run.id", "dead\n");
  put("runs/dead/events.jsonl", "");
  const auto target = look_at_target(root_ + "/target");
  ASSERT_TRUE(target) << target.error().what;
  const DeadScratches dead = remove_dead_scratches(*target, root_ + "/runs");
  EXPECT_EQ(dead.removed, std::vector<std::string>{target->path + "/" + kScratchPrefix + "dead"});
  EXPECT_TRUE(dead.left.empty());
  EXPECT_TRUE(fs::exists(root_ + "/" + prefix + "of-another-node/file"));
  EXPECT_TRUE(fs::exists(root_ + "/target/data"));
}

}  // namespace
}  // namespace stallproof
