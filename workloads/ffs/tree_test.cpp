// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/tree.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "workloads/ffs/data_file.h"

namespace stallproof {
namespace {

constexpr std::size_t kPages = 64;
constexpr mode_t kFile = S_IFREG | 0644;
constexpr mode_t kDirectory = S_IFDIR | 0755;

int error_of(const auto& answer) { return answer ? 0 : answer.error(); }

class TreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = PageStore::create(kPages * PageStore::kPage);
    ASSERT_TRUE(store) << store.error().what;
    store_ = std::move(*store);
    tree_ = std::make_unique<Tree>(*store_, attributes_of(kDataInode, 1U << 20U));
  }
  // The new inode, which the kernel does not remember; 0 when refused.
  std::uint64_t make(std::uint64_t directory, const std::string& name, mode_t mode = kFile) {
    const auto made = tree_->make({directory, name}, mode, {});
    if (!made) return 0;
    tree_->forget(made->st_ino, 1);
    return made->st_ino;
  }
  void fill(std::uint64_t inode, std::size_t pages) {
    const std::vector<std::byte> data(pages * PageStore::kPage, std::byte{1});
    ASSERT_TRUE(tree_->content(inode)->write(0, data, true));
  }
  [[nodiscard]] std::size_t used() const { return kPages - store_->free_pages(); }
  [[nodiscard]] std::uint64_t links(std::uint64_t inode) const {
    return tree_->attributes(inode)->st_nlink;
  }
  // Names after `place`, at most `most`; moves `place` on.
  std::vector<std::string> page(std::uint64_t& place, std::size_t most) {
    std::vector<std::string> names;
    EXPECT_TRUE(tree_->list(kRootInode, place,
                            [&](std::uint64_t at, const std::string& name, const struct stat&) {
                              if (names.size() == most) return false;
                              names.push_back(name);
                              place = at;
                              return true;
                            }));
    return names;
  }

  std::unique_ptr<PageStore> store_;
  std::unique_ptr<Tree> tree_;
};

TEST_F(TreeTest, DataIsListedAndCannotBeChanged) {
  std::uint64_t place = 0;
  EXPECT_EQ(page(place, 10), std::vector<std::string>{"data"});
  EXPECT_EQ(tree_->lookup({kRootInode, "data"})->st_ino, kDataInode);
  make(kRootInode, "other");
  EXPECT_EQ(error_of(tree_->unlink({kRootInode, "data"})), EPERM);
  EXPECT_EQ(error_of(tree_->rename({kRootInode, "data"}, {kRootInode, "x"}, true)), EPERM);
  EXPECT_EQ(error_of(tree_->rename({kRootInode, "other"}, {kRootInode, "data"}, true)), EPERM);
  EXPECT_EQ(error_of(tree_->change(kDataInode, {.size = 0})), EPERM);
  EXPECT_EQ(error_of(tree_->make({kRootInode, "data"}, kFile, {})), EEXIST);
  EXPECT_EQ(tree_->attributes(kDataInode)->st_size, 1 << 20);
}

TEST_F(TreeTest, UnlinkedFileLivesWhileItIsOpenOrRemembered) {
  const auto made = tree_->make({kRootInode, "f"}, kFile, {});
  ASSERT_TRUE(made);
  const std::uint64_t inode = made->st_ino;
  fill(inode, 3);
  ASSERT_TRUE(tree_->open(inode));
  ASSERT_TRUE(tree_->unlink({kRootInode, "f"}));
  EXPECT_EQ(links(inode), 0U);
  tree_->forget(inode, 1);
  EXPECT_EQ(used(), 3U);
  tree_->close(inode);
  EXPECT_EQ(used(), 0U);
  EXPECT_EQ(error_of(tree_->attributes(inode)), ENOENT);
}

TEST_F(TreeTest, RenameOverAFileFreesItOnceItsLastHandleIsClosed) {
  const std::uint64_t old = make(kRootInode, "old");
  const std::uint64_t fresh = make(kRootInode, "fresh");
  fill(old, 5);
  fill(fresh, 2);
  ASSERT_TRUE(tree_->open(old));
  ASSERT_TRUE(tree_->open(old));
  ASSERT_TRUE(tree_->rename({kRootInode, "fresh"}, {kRootInode, "old"}, true));
  tree_->close(old);
  EXPECT_EQ(used(), 7U);
  tree_->close(old);
  EXPECT_EQ(used(), 2U);
  EXPECT_EQ(tree_->lookup({kRootInode, "old"})->st_ino, fresh);
  EXPECT_EQ(error_of(tree_->lookup({kRootInode, "fresh"})), ENOENT);
}

TEST_F(TreeTest, ContentInAServiceThreadsHandsOutlivesItsFile) {
  const std::uint64_t inode = make(kRootInode, "f");
  fill(inode, 1);
  auto content = tree_->content(inode);
  ASSERT_TRUE(tree_->unlink({kRootInode, "f"}));
  EXPECT_EQ(content->state().size, PageStore::kPage);
  content.reset();
  EXPECT_EQ(used(), 0U);
}

TEST_F(TreeTest, SpaceComesBackAfterUnlink) {
  const std::uint64_t full = make(kRootInode, "full");
  fill(full, kPages);
  const std::uint64_t next = make(kRootInode, "next");
  const std::byte one{1};
  EXPECT_EQ(error_of(tree_->content(next)->write(0, {&one, 1}, false)), ENOSPC);
  ASSERT_TRUE(tree_->unlink({kRootInode, "full"}));
  EXPECT_TRUE(tree_->content(next)->write(0, {&one, 1}, false));
}

TEST_F(TreeTest, InodesRunOutAndComeBack) {
  std::size_t made = 0;
  while (make(kRootInode, "f" + std::to_string(made)) != 0) ++made;
  EXPECT_EQ(made, kPages - 1) << "the root is one";
  EXPECT_EQ(error_of(tree_->make({kRootInode, "more"}, kFile, {})), ENOSPC);
  ASSERT_TRUE(tree_->unlink({kRootInode, "f0"}));
  EXPECT_NE(make(kRootInode, "more"), 0U);
}

TEST_F(TreeTest, PagedListingMissesNothingWhileFilesAreRemovedAndMade) {
  for (int i = 0; i < 40; ++i) make(kRootInode, "f" + std::to_string(i));
  std::multiset<std::string> seen;
  std::uint64_t place = 0;
  for (int round = 0;; ++round) {
    const auto names = page(place, 3);
    if (names.empty()) break;
    seen.insert(names.begin(), names.end());
    for (const std::string& name : names)
      if (name != "data" && name.back() % 2 == 0) {
        ASSERT_TRUE(tree_->unlink({kRootInode, name}));
      }
    if (round < 5) make(kRootInode, "new" + std::to_string(round));
  }
  for (int i = 0; i < 40; ++i) EXPECT_EQ(seen.count("f" + std::to_string(i)), 1U) << i;
}

TEST_F(TreeTest, DirectoriesCountTheirSubdirectories) {
  const std::uint64_t a = make(kRootInode, "a", kDirectory);
  const std::uint64_t b = make(kRootInode, "b", kDirectory);
  make(a, "sub", kDirectory);
  make(a, "file");
  EXPECT_EQ(links(kRootInode), 4U);
  EXPECT_EQ(links(a), 3U);
  ASSERT_TRUE(tree_->rename({a, "sub"}, {b, "sub"}, true));
  EXPECT_EQ(links(a), 2U);
  EXPECT_EQ(links(b), 3U);
  EXPECT_EQ(tree_->parent_of(tree_->lookup({b, "sub"})->st_ino), b);
}

TEST_F(TreeTest, DirectoryWithEntriesStays) {
  const std::uint64_t a = make(kRootInode, "a", kDirectory);
  const std::uint64_t sub = make(a, "sub", kDirectory);
  make(kRootInode, "b", kDirectory);
  EXPECT_EQ(error_of(tree_->rmdir({kRootInode, "a"})), ENOTEMPTY);
  EXPECT_EQ(error_of(tree_->rename({kRootInode, "b"}, {kRootInode, "a"}, true)), ENOTEMPTY);
  EXPECT_EQ(error_of(tree_->rename({kRootInode, "a"}, {sub, "a"}, true)), EINVAL);
  ASSERT_TRUE(tree_->rmdir({a, "sub"}));
  EXPECT_TRUE(tree_->rename({kRootInode, "b"}, {kRootInode, "a"}, true));
  EXPECT_EQ(tree_->inodes(), 2U) << "root and b";
}

TEST_F(TreeTest, KindsAreNotMixed) {
  const std::uint64_t directory = make(kRootInode, "d", kDirectory);
  const std::uint64_t file = make(kRootInode, "f");
  EXPECT_EQ(error_of(tree_->unlink({kRootInode, "d"})), EISDIR);
  EXPECT_EQ(error_of(tree_->rmdir({kRootInode, "f"})), ENOTDIR);
  EXPECT_EQ(error_of(tree_->rename({kRootInode, "f"}, {kRootInode, "d"}, true)), EISDIR);
  EXPECT_EQ(error_of(tree_->rename({kRootInode, "d"}, {kRootInode, "f"}, true)), ENOTDIR);
  EXPECT_EQ(error_of(tree_->rename({kRootInode, "f"}, {kRootInode, "d"}, false)), EEXIST);
  EXPECT_EQ(error_of(tree_->open(directory)), EISDIR);
  EXPECT_EQ(error_of(tree_->lookup({file, "x"})), ENOTDIR);
  EXPECT_EQ(error_of(tree_->make({kRootInode, "pipe"}, S_IFIFO | 0644, {})), EPERM);
  EXPECT_EQ(error_of(tree_->make({kRootInode, std::string(256, 'n')}, kFile, {})), ENAMETOOLONG);
}

TEST_F(TreeTest, NothingIsMadeInARemovedDirectory) {
  const auto made = tree_->make({kRootInode, "d"}, kDirectory, {});
  ASSERT_TRUE(tree_->rmdir({kRootInode, "d"}));
  EXPECT_EQ(error_of(tree_->make({made->st_ino, "f"}, kFile, {})), ENOENT);
  make(kRootInode, "f");
  EXPECT_EQ(error_of(tree_->rename({kRootInode, "f"}, {made->st_ino, "f"}, true)), ENOENT);
}

TEST_F(TreeTest, ChangesAreShownAndNothingElse) {
  const std::uint64_t inode = make(kRootInode, "f");
  const timespec old{100, 5};
  ASSERT_TRUE(tree_->change(inode, {.permissions = S_IFDIR | 0600, .uid = 7, .modified = old}));
  const auto seen = tree_->attributes(inode);
  EXPECT_EQ(seen->st_mode, static_cast<mode_t>(S_IFREG | 0600));
  EXPECT_EQ(seen->st_uid, 7U);
  EXPECT_EQ(seen->st_gid, 0U);
  EXPECT_EQ(seen->st_mtim.tv_sec, 100);
  EXPECT_GT(seen->st_ctim.tv_sec, 100);
  ASSERT_TRUE(tree_->change(inode, {.size = 12345}));
  EXPECT_EQ(tree_->attributes(inode)->st_size, 12345);
  EXPECT_EQ(tree_->attributes(inode)->st_blocks, 0);
  EXPECT_GT(tree_->attributes(inode)->st_mtim.tv_sec, 100);
}

}  // namespace
}  // namespace stallproof
