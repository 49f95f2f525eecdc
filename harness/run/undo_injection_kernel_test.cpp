// SPDX-License-Identifier: Apache-2.0
// Undoing what the injector of a run has left, whose controller is dead: a frozen file system with
// somebody who waits for it, frozen and throttled processes.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/cgroup.h"
#include "harness/base/file.h"
#include "harness/base/process.h"
#include "harness/run/cgroup_places.h"
#include "harness/run/undo_journal.h"
#include "workloads/injector/ext4_disk.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kDiskSize = 16U << 20U;

class UndoInjectionTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "not root: cannot mount";
    // Two tests at once must not have the same cgroup.
    run_ = fmt::format("undo-test-{}", ::getpid());
    std::string name = (std::filesystem::temp_directory_path() / "undo-injection-XXXXXX").string();
    place_ = ::mkdtemp(name.data());
    runtime_ = place_ + "/stallproof";
  }
  void TearDown() override {
    if (place_.empty()) return;
    undo();
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    std::filesystem::remove_all(place_);
  }
  [[nodiscard]] std::string directory() const { return runtime_ + "/" + run_; }
  // A process that is in the journal of a run whose controller has died.
  void start(void (*work)(const std::string& file), const std::string& file) {
    auto ready = Pipe::create();
    ASSERT_TRUE(ready);
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      report_ready(ready->write_end.get());
      work(file);
      ::_exit(0);
    }
    ready->write_end.reset();
    ASSERT_TRUE(wait_ready(ready->read_end, "child", Deadline::in(5 * kSecond)));
  }
  void orphan() {
    auto journal = UndoJournal::create(run_, runtime_);
    ASSERT_TRUE(journal);
    if (child_ > 0) journal->note_process("worker", child_);
  }
  std::string undo() const {
    std::string text;
    for (const std::string& line : undo_leftovers(runtime_)) text += line + "\n";
    return text;
  }
  [[nodiscard]] std::string cgroup(const char* word) const {
    Settings words;
    const auto places = cgroup_places_now(run_);
    EXPECT_TRUE(places);
    add_cgroup_words(*places, words);
    return words.text(word, "");
  }
  // The child is frozen by this cgroup and cannot even be killed before it is thawed.
  void freeze_child_by(const std::string& path, const char* file, const char* frozen) {
    start([](const std::string&) { ::pause(); }, "");
    orphan();
    ASSERT_TRUE(make_cgroup(path));
    ASSERT_TRUE(move_to_cgroup(path, child_));
    ASSERT_TRUE(write_control_file(path + "/" + file, frozen));
  }
  void expect_undone() {
    const std::string told = undo();
    EXPECT_NE(told.find(fmt::format("killed process {} (worker)", child_)), std::string::npos)
        << told;
    EXPECT_FALSE(std::filesystem::exists(runtime_)) << told;
    EXPECT_EQ(::waitpid(child_, nullptr, 0), child_);
    child_ = -1;
  }

  std::string run_, place_, runtime_;
  pid_t child_ = -1;
};

TEST_F(UndoInjectionTest, AFrozenFileSystemIsThawedUnmountedAndItsWaiterKilled) {
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  { ASSERT_TRUE(UndoJournal::create(run_, runtime_)); }
  auto disk = Ext4Disk::make(directory() + "/disk", kDiskSize);
  ASSERT_TRUE(disk) << disk.error().what;
  ASSERT_EQ((*disk)->freeze(), 0);
  start([](const std::string& file) { ::open(file.c_str(), O_CREAT | O_WRONLY, 0600); },
        (*disk)->file("x"));
  std::filesystem::remove(directory() + "/journal");
  std::filesystem::remove(directory() + "/mnt");
  orphan();
  ::poll(nullptr, 0, 50);
  ::kill(child_, SIGKILL);
  ::poll(nullptr, 0, 20);
  ASSERT_EQ(::waitpid(child_, nullptr, WNOHANG), 0) << "it waits uninterruptibly";
  const std::string told = undo();
  EXPECT_NE(told.find("thawed " + directory() + "/disk"), std::string::npos) << told;
  EXPECT_NE(told.find("unmounted " + directory() + "/disk"), std::string::npos) << told;
  EXPECT_FALSE(std::filesystem::exists(runtime_)) << told;
  EXPECT_EQ(::waitpid(child_, nullptr, 0), child_);
  child_ = -1;
}

TEST_F(UndoInjectionTest, AProcessFrozenByVersionOneIsThawedAndKilled) {
  const std::string path = cgroup("cgroup-freezer");
  if (path.empty()) GTEST_SKIP() << "no freezer of cgroup version 1";
  freeze_child_by(path, "freezer.state", "FROZEN");
  expect_undone();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(UndoInjectionTest, AProcessFrozenByVersionTwoIsThawedAndKilled) {
  const std::string path = cgroup("cgroup-unified");
  if (path.empty()) GTEST_SKIP() << "no cgroup version 2";
  freeze_child_by(path, "cgroup.freeze", "1");
  expect_undone();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(UndoInjectionTest, AProcessOfSomebodyElseInTheCgroupIsMovedOutAndLives) {
  const std::string path = cgroup("cgroup-cpu");
  if (path.empty()) GTEST_SKIP() << "no cpu controller of cgroup version 1";
  orphan();  // its journal knows nobody
  start([](const std::string&) { ::pause(); }, "");
  ASSERT_TRUE(make_cgroup(path));
  ASSERT_TRUE(write_control_file(path + "/cpu.cfs_quota_us", "1000"));
  ASSERT_TRUE(move_to_cgroup(path, child_));
  undo();
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(::waitpid(child_, nullptr, WNOHANG), 0);
}

}  // namespace
}  // namespace stallproof
