// SPDX-License-Identifier: Apache-2.0
#include "harness/run/scratch_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness/run/undo_journal.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

class ScratchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(place_.data()), nullptr);
    struct stat info {};
    ASSERT_EQ(::stat(place_.c_str(), &info), 0);
    scratch_ = {.path = place_ + "/.stallproof-run 1",
                .device_major = major(info.st_dev),
                .device_minor = minor(info.st_dev)};
  }
  void TearDown() override { fs::remove_all(place_); }

  std::string place_ = ::testing::TempDir() + "stallproof-scratch-XXXXXX";
  ScratchDirectory scratch_;
};

TEST_F(ScratchTest, IsMadeWithItsFoldersAndRemovedWithAllItHolds) {
  ASSERT_TRUE(make_scratch(scratch_, {"a", "b/c/d"}));
  EXPECT_TRUE(fs::is_directory(scratch_.path + "/b/c"));
  std::ofstream(scratch_.path + "/b/c/d") << "x";
  EXPECT_EQ(remove_scratch(scratch_).end, ScratchEnd::removed);
  EXPECT_TRUE(fs::is_empty(place_));
  EXPECT_EQ(remove_scratch(scratch_).end, ScratchEnd::removed);  // nothing there
}

TEST_F(ScratchTest, WhatIsThereAlreadyIsNotTaken) {
  fs::create_directory(scratch_.path);
  EXPECT_FALSE(make_scratch(scratch_, {}));
}

TEST_F(ScratchTest, ASharedOneIsRemovedByTheLastThatUsesIt) {
  ScratchDirectory one = scratch_, two = scratch_;
  one.mark = "0-run-a";
  two.mark = "1-run-b";
  ASSERT_TRUE(make_scratch(one, {"d/file"}));
  std::ofstream(scratch_.path + "/d/file") << "x";
  ASSERT_TRUE(make_scratch(two, {"d/file"}));
  EXPECT_EQ(remove_scratch(one).end, ScratchEnd::removed);
  EXPECT_TRUE(fs::exists(scratch_.path + "/d/file"));
  EXPECT_EQ(remove_scratch(two).end, ScratchEnd::removed);
  EXPECT_TRUE(fs::is_empty(place_));
  EXPECT_EQ(remove_scratch(two).end, ScratchEnd::removed);  // nothing there
}

TEST_F(ScratchTest, LinksAreNotFollowed) {
  ASSERT_TRUE(make_scratch(scratch_, {}));
  fs::create_directory(place_ + "/keep");
  std::ofstream(place_ + "/keep/file") << "x";
  fs::create_directory_symlink(place_ + "/keep", scratch_.path + "/link");
  EXPECT_EQ(remove_scratch(scratch_).end, ScratchEnd::removed);
  EXPECT_TRUE(fs::exists(place_ + "/keep/file"));
}

TEST_F(ScratchTest, OtherNamesAndOtherFileSystemsAreLeftAlone) {
  fs::create_directory(place_ + "/mine");
  EXPECT_EQ(remove_scratch({place_ + "/mine", scratch_.device_major, scratch_.device_minor}).end,
            ScratchEnd::out_of_reach);
  EXPECT_TRUE(fs::exists(place_ + "/mine"));
  ASSERT_TRUE(make_scratch(scratch_, {}));
  EXPECT_EQ(remove_scratch({scratch_.path, 4000, 1}).end, ScratchEnd::out_of_reach);
  EXPECT_TRUE(fs::exists(scratch_.path));
}

TEST_F(ScratchTest, TheNextStartRemovesWhatADeadRunLeft) {
  const std::string runtime = place_ + "/run/stallproof";
  {
    auto journal = UndoJournal::create("dead", runtime);
    ASSERT_TRUE(journal) << journal.error().what;
    journal->note_scratch(scratch_);
    ASSERT_TRUE(make_scratch(scratch_, {}));
    EXPECT_FALSE(journal->finish());  // not while it is there
  }
  const auto told = undo_leftovers(runtime);
  EXPECT_FALSE(fs::exists(scratch_.path)) << told.size();
  EXPECT_FALSE(fs::exists(runtime));
}

}  // namespace
}  // namespace stallproof
