// SPDX-License-Identifier: Apache-2.0
#include "harness/run/undo_journal.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace stallproof {
namespace {

namespace fs = std::filesystem;

class UndoJournalTest : public testing::Test {
 protected:
  UndoJournalTest() {
    std::string name = (fs::temp_directory_path() / "undo-journal-XXXXXX").string();
    place_ = ::mkdtemp(name.data());
    runtime_ = place_ + "/stallproof";
  }
  ~UndoJournalTest() override { fs::remove_all(place_); }

  // A run whose controller has died: the lock goes with the last descriptor.
  void orphan(const std::string& run) { ASSERT_TRUE(UndoJournal::create(run, runtime_)); }
  // What keeps the mount point from being removed, as a mount on it would.
  void occupy(const std::string& run) const { std::ofstream(runtime_ + "/" + run + "/mnt/x") << 1; }
  void vacate(const std::string& run) const { fs::remove(runtime_ + "/" + run + "/mnt/x"); }
  [[nodiscard]] bool journal_of(const std::string& run) const {
    return fs::exists(runtime_ + "/" + run + "/journal");
  }
  [[nodiscard]] std::string undo() const {
    std::string text;
    for (const std::string& line : undo_leftovers(runtime_)) text += line + "\n";
    return text;
  }

  std::string place_;
  std::string runtime_;
};

TEST_F(UndoJournalTest, FinishLeavesNothing) {
  auto journal = UndoJournal::create("a", runtime_);
  ASSERT_TRUE(journal);
  EXPECT_TRUE(journal->finish());
  EXPECT_FALSE(fs::exists(runtime_));
}

TEST_F(UndoJournalTest, FinishKeepsTheJournalOfABusyMountPoint) {
  auto journal = UndoJournal::create("a", runtime_);
  ASSERT_TRUE(journal);
  occupy("a");
  const auto finished = journal->finish();
  ASSERT_FALSE(finished);
  EXPECT_NE(finished.error().what.find("/a/mnt"), std::string::npos);
  EXPECT_TRUE(journal_of("a"));
}

TEST_F(UndoJournalTest, FinishKeepsTheJournalOfALivingProcessAndNamesIt) {
  auto journal = UndoJournal::create("a", runtime_);
  ASSERT_TRUE(journal);
  journal->note_process("worker", ::getpid());
  journal->note_connection(77);
  const auto finished = journal->finish();
  ASSERT_FALSE(finished);
  EXPECT_NE(finished.error().what.find(fmt::format("process {} (worker) lives", ::getpid())),
            std::string::npos);
  EXPECT_NE(finished.error().what.find("connection 77"), std::string::npos);
  EXPECT_TRUE(journal_of("a"));
}

TEST_F(UndoJournalTest, UndoTriesAgainWhatItCouldNotUndo) {
  orphan("a");
  occupy("a");
  EXPECT_NE(undo().find("kept with its journal"), std::string::npos);
  ASSERT_TRUE(journal_of("a"));
  vacate("a");
  EXPECT_NE(undo().find("removed " + runtime_ + "/a"), std::string::npos);
  EXPECT_FALSE(fs::exists(runtime_));
}

TEST_F(UndoJournalTest, ALivingRunIsLeftAlone) {
  auto journal = UndoJournal::create("a", runtime_);
  ASSERT_TRUE(journal);
  EXPECT_EQ(undo(), "");
  EXPECT_TRUE(journal_of("a"));
  EXPECT_TRUE(journal->finish());
}

TEST_F(UndoJournalTest, ABusyMountPointWithoutAJournalIsTold) {
  orphan("a");
  occupy("a");
  fs::remove(runtime_ + "/a/journal");
  EXPECT_NE(undo().find(runtime_ + "/a/mnt"), std::string::npos);
  vacate("a");
  EXPECT_EQ(undo(), "removed " + runtime_ + "/a\n");
}

TEST_F(UndoJournalTest, StartsAtTheSameMomentDoNotBreakEachOther) {
  constexpr int kProcesses = 6;
  constexpr int kRuns = 40;
  const auto start_and_end = [this](int process) {
    for (int run = 0; run < kRuns; ++run) {
      if (!undo_leftovers(runtime_).empty()) return 1;
      auto journal = UndoJournal::create(fmt::format("{}-{}", process, run), runtime_);
      if (!journal) return 2;
      if (!journal->finish()) return 3;
    }
    return 0;
  };
  std::vector<pid_t> pids;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(start_and_end(process));
    pids.push_back(pid);
  }
  for (const pid_t pid : pids) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_FALSE(fs::exists(runtime_));
}

TEST_F(UndoJournalTest, AKernelSettingOfADeadRunIsPutBackByItsLastNote) {
  const std::string path = place_ + "/sysrq";
  std::ofstream(path) << "1\n";
  {
    auto journal = UndoJournal::create("a", runtime_);
    ASSERT_TRUE(journal);
    journal->note_setting({.path = path, .before = "438", .ours = "1"});
    journal->note_setting({.path = path, .before = "176", .ours = "1"});
  }
  EXPECT_NE(undo().find("set " + path + " to 176 again"), std::string::npos);
  EXPECT_EQ(*setting_now(path), "176");
  EXPECT_FALSE(fs::exists(runtime_));
}

TEST_F(UndoJournalTest, AKernelSettingThatSomebodyChangedMeanwhileStays) {
  const std::string path = place_ + "/sysrq";
  std::ofstream(path) << "0\n";
  {
    auto journal = UndoJournal::create("a", runtime_);
    ASSERT_TRUE(journal);
    journal->note_setting({.path = path, .before = "438", .ours = "1"});
  }
  EXPECT_EQ(undo().find(path), std::string::npos);
  EXPECT_EQ(*setting_now(path), "0");
}

}  // namespace
}  // namespace stallproof
