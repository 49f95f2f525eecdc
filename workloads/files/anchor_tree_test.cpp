// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/anchor_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace stallproof {
namespace {

JobAnchor anchor(int depth, int width, int files, std::vector<double> sizes = {4096}) {
  return {.name = "fsd1",
          .path = "/a",
          .depth = depth,
          .width = width,
          .files = files,
          .sizes = std::move(sizes)};
}

std::unique_ptr<AnchorTree> planned(const JobAnchor& wanted) {
  auto tree = AnchorTree::plan(wanted, false);
  EXPECT_TRUE(tree) << (tree ? "" : tree.error().what);
  return tree ? std::move(*tree) : nullptr;
}

TEST(AnchorTree, FoldersAreNumberedByLevelAndFilesContinuouslyInTheLowest) {
  const auto tree = planned(anchor(2, 2, 3));
  EXPECT_EQ(tree->folders(), 6U);
  EXPECT_EQ(tree->files(), 12U);
  EXPECT_EQ(tree->folder_path(0), "/a/vdb.1_1.dir");
  EXPECT_EQ(tree->folder_path(1), "/a/vdb.1_2.dir");
  EXPECT_EQ(tree->folder_path(3), "/a/vdb.1_2.dir/vdb.2_1.dir");
  EXPECT_EQ(tree->file_path(0), "/a/vdb.1_1.dir/vdb.2_1.dir/vdb_f0000.file");
  EXPECT_EQ(tree->file_path(11), "/a/vdb.1_2.dir/vdb.2_2.dir/vdb_f0011.file");
}

TEST(AnchorTree, DistributionAllPutsFilesIntoEveryFolder) {
  JobAnchor wanted = anchor(2, 3, 2);
  wanted.in_all_folders = true;
  const auto tree = planned(wanted);
  EXPECT_EQ(tree->files(), 24U);
  EXPECT_EQ(tree->file_path(1), "/a/vdb.1_1.dir/vdb_f0001.file");
}

TEST(AnchorTree, EveryFolderIsAChildOfItsParentAndHasANameOfItsOwn) {
  const auto tree = planned(anchor(4, 3, 1));
  std::set<std::string> names;
  for (FolderNumber folder = 0; folder < tree->folders(); ++folder) {
    names.insert(tree->folder_path(folder));
    const auto parent = tree->parent(folder);
    if (!parent) continue;
    EXPECT_TRUE(tree->folder_path(folder).starts_with(tree->folder_path(*parent) + "/"));
    const auto children = tree->children(*parent);
    EXPECT_EQ(std::count(children.begin(), children.end(), folder), 1);
  }
  EXPECT_EQ(names.size(), tree->folders());
}

TEST(AnchorTree, AFileNameGivesItsNumberAndNothingElseDoes) {
  EXPECT_EQ(AnchorTree::number_of_name("vdb_f0007.file"), 7U);
  EXPECT_EQ(AnchorTree::number_of_name("vdb_f123456.file"), 123456U);
  for (const char* name : {"vdb_f7.file", "vdb_f0007.filex", "vdb_control.file", "vdb_f.file"})
    EXPECT_FALSE(AnchorTree::number_of_name(name)) << name;
}

TEST(AnchorTree, SizesAroundAnAverageStayWithinHalfOfIt) {
  const auto tree = planned(anchor(1, 1, 1000, {1 << 20, 0}));
  std::uint64_t sum = 0;
  for (FileNumber file = 0; file < tree->files(); ++file) {
    EXPECT_GE(tree->size_of(file), (1U << 19U) - (100U << 10U));
    EXPECT_LE(tree->size_of(file), 3 * (1U << 19U) + (100U << 10U));
    sum += tree->size_of(file);
  }
  EXPECT_EQ(sum, tree->bytes());
  EXPECT_NEAR(static_cast<double>(sum) / 1000, 1 << 20, 1 << 16);
}

TEST(AnchorTree, AWorkingSetUsesSoManyBytesAndTheSameFilesEachTime) {
  JobAnchor wanted = anchor(1, 1, 100);
  wanted.working_set = 10 * 4096;
  const auto tree = planned(wanted);
  const auto again = planned(wanted);
  ASSERT_EQ(tree->used_files(), 10U);
  for (FileNumber at = 0; at < 10; ++at) EXPECT_EQ(tree->used_file(at), again->used_file(at));
  wanted.working_set = 101 * 4096;
  EXPECT_FALSE(AnchorTree::plan(wanted, false));
}

TEST(AnchorTree, AFileIsSharedOrHadAlone) {
  const auto tree = planned(anchor(1, 1, 1));
  EXPECT_TRUE(tree->take(0, true));
  EXPECT_TRUE(tree->take(0, true));
  EXPECT_FALSE(tree->take(0, false));
  EXPECT_FALSE(tree->take_alone(0));
  tree->leave(0);
  tree->leave(0);
  EXPECT_TRUE(tree->take_alone(0));
  EXPECT_FALSE(tree->take(0, true));
}

TEST(AnchorTree, OnceGivesEachFileOnceInOrderOrAtRandom) {
  for (const bool random : {false, true}) {
    const auto tree = planned(anchor(1, 1, 50));
    Prng prng(1);
    std::set<FileNumber> given;
    while (const auto file = tree->next_file({.random = random, .once = true}, prng))
      EXPECT_TRUE(given.insert(*file).second);
    EXPECT_EQ(given.size(), 50U);
  }
}

TEST(AnchorTree, CountsFollowWhatIsThere) {
  const auto tree = planned(anchor(1, 1, 3));
  tree->set_folder_there(0);
  tree->set_there(0, 4096);
  tree->set_there(1, 100);
  EXPECT_TRUE(tree->full(0));
  EXPECT_FALSE(tree->full(1));
  EXPECT_EQ(tree->current_size(1), 100U);
  EXPECT_EQ(tree->existing_files(), 2);
  EXPECT_EQ(tree->files_in(0), 2U);
  tree->set_gone(0);
  tree->set_gone(0);
  EXPECT_EQ(tree->existing_files(), 1);
}

TEST(AnchorTree, ATreeWithoutFoldersOrOfTooManyIsRefused) {
  EXPECT_FALSE(AnchorTree::plan(anchor(1, 0, 1), false));
  EXPECT_FALSE(AnchorTree::plan(anchor(64, 64, 1), false));
}

}  // namespace
}  // namespace stallproof
