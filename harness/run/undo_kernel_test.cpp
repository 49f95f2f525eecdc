// SPDX-License-Identifier: Apache-2.0
// Undoing real FUSE mounts whose controller is dead. The service never answers, so that every look
// below the mount waits until the connection is aborted.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/process.h"
#include "harness/run/fuse_target.h"
#include "harness/run/undo_journal.h"
#include "workloads/ffs/ffs_mount.h"

namespace stallproof {
namespace {

class UndoKernelTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "not root: cannot mount";
    if (::access("/dev/fuse", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/fuse";
    std::string name = (std::filesystem::temp_directory_path() / "undo-kernel-XXXXXX").string();
    place_ = ::mkdtemp(name.data());
    runtime_ = place_ + "/stallproof";
  }
  void TearDown() override {
    for (const pid_t pid : pids_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    if (place_.empty()) return;
    while (::umount2(mount_point().c_str(), MNT_DETACH) == 0) continue;
    std::filesystem::remove_all(place_);
  }
  [[nodiscard]] std::string mount_point() const { return runtime_ + "/a/mnt"; }

  template <class Work>
  pid_t start(Work work) {
    auto ready = Pipe::create();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      work(ready->write_end.get());
      ::_exit(0);
    }
    pids_.push_back(pid);
    ready->write_end.reset();
    EXPECT_TRUE(wait_ready(ready->read_end, "child", Deadline::in(5 * kSecond)));
    return pid;
  }
  // A run whose controller has died, with these processes in its journal.
  void orphan(const std::vector<pid_t>& processes) {
    auto journal = UndoJournal::create("a", runtime_);
    ASSERT_TRUE(journal);
    for (const pid_t pid : processes) journal->note_process("watchdog", pid);
  }
  // Mounts and never answers.
  pid_t start_service() {
    return start([this](int ready) {
      const int device = ::open("/dev/fuse", O_RDWR);
      const std::string options = fmt::format("fd={},rootmode=40000,user_id=0,group_id=0", device);
      if (::mount("x", mount_point().c_str(), kFfsFstype, 0, options.c_str()) != 0) ::_exit(1);
      report_ready(ready);
      for (;;) ::pause();
    });
  }
  // Waits below the mount.
  pid_t start_load() {
    return start([this](int ready) {
      report_ready(ready);
      struct stat unused {};
      ::stat((mount_point() + "/x").c_str(), &unused);
    });
  }
  [[nodiscard]] std::string undo() const {
    std::string text;
    for (const std::string& line : undo_leftovers(runtime_)) text += line + "\n";
    return text;
  }

  std::string place_;
  std::string runtime_;
  std::vector<pid_t> pids_;
};

TEST_F(UndoKernelTest, AnOrphanedRunIsAbortedKilledUnmountedAndRemoved) {
  // Before there is a journal, so that its lock is the controller's alone.
  const pid_t watchdog = start([](int ready) {
    report_ready(ready);
    for (;;) ::pause();
  });
  orphan({watchdog});
  start_service();
  const auto target = find_fuse_target(mount_point());
  ASSERT_TRUE(target && *target);
  const pid_t load = start_load();
  ::poll(nullptr, 0, 50);
  ASSERT_EQ(::waitpid(load, nullptr, WNOHANG), 0);

  const std::string told = undo();
  EXPECT_NE(told.find(fmt::format("aborted FUSE connection {} ", (*target)->connection)),
            std::string::npos);
  EXPECT_NE(told.find(fmt::format("killed process {} (watchdog)", watchdog)), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(runtime_)) << told;
  EXPECT_EQ(::waitpid(load, nullptr, 0), load);
  pids_.pop_back();
}

TEST_F(UndoKernelTest, AMountWithoutAJournalIsUndoneAsWell) {
  orphan({});
  std::filesystem::remove(runtime_ + "/a/journal");
  start_service();
  EXPECT_NE(undo().find("aborted FUSE connection"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(runtime_));
}

TEST_F(UndoKernelTest, AForeignMountKeepsTheJournalUntilItIsGone) {
  orphan({});
  ASSERT_EQ(::mount("x", mount_point().c_str(), "tmpfs", 0, nullptr), 0);
  EXPECT_NE(undo().find("kept with its journal"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(runtime_ + "/a/journal"));
  ASSERT_EQ(::umount2(mount_point().c_str(), 0), 0);
  EXPECT_NE(undo().find("removed"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(runtime_));
}

}  // namespace
}  // namespace stallproof
