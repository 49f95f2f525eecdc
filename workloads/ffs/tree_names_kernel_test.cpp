// SPDX-License-Identifier: Apache-2.0
// Names of a mounted tree, through the kernel's own caches of them.
#include <dirent.h>
#include <sys/stat.h>

#include <set>

#include "workloads/ffs/testing/tree_mount_test.h"

namespace stallproof {
namespace {

class TreeNames : public TreeMountTest {
 protected:
  void SetUp() override {
    TreeMountTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(mount_tree());
  }
  [[nodiscard]] std::string path(const std::string& name) const { return target_->path(name); }
  // errno of a call that must fail.
  static int refused(int result) { return result == 0 ? 0 : errno; }
  void make_file(const std::string& name, const std::string& text) {
    const Fd file = open(name, O_WRONLY | O_CREAT | O_EXCL);
    ASSERT_TRUE(file.valid()) << name;
    ASSERT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string text_of(const std::string& name) {
    const Fd file = open(name, O_RDONLY);
    char bytes[64];
    const ssize_t got = ::read(file.get(), bytes, sizeof bytes);
    return got < 0 ? "unreadable" : std::string(bytes, static_cast<std::size_t>(got));
  }
};

TEST_F(TreeNames, DirectoriesAndFilesMoveAndDisappear) {
  ASSERT_EQ(::mkdir(path("a").c_str(), 0755), 0);
  ASSERT_EQ(::mkdir(path("a/b").c_str(), 0700), 0);
  make_file("a/b/f", "one");
  EXPECT_EQ(refused(::rmdir(path("a").c_str())), ENOTEMPTY);
  ASSERT_EQ(::rename(path("a/b").c_str(), path("c").c_str()), 0);
  EXPECT_EQ(text_of("c/f"), "one");
  EXPECT_EQ(refused(::access(path("a/b").c_str(), F_OK)), ENOENT);
  struct stat seen {};
  ASSERT_EQ(::stat(path("a").c_str(), &seen), 0);
  EXPECT_EQ(seen.st_nlink, 2U);
  ASSERT_EQ(::unlink(path("c/f").c_str()), 0);
  ASSERT_EQ(::rmdir(path("c").c_str()), 0);
  ASSERT_EQ(::rmdir(path("a").c_str()), 0);
  EXPECT_EQ(refused(::access(path("c").c_str(), F_OK)), ENOENT);
}

TEST_F(TreeNames, ReplacedFileIsStillReadByWhoeverHasItOpen) {
  make_file("old", "old");
  make_file("new", "new");
  const Fd held = open("old", O_RDONLY);
  ASSERT_EQ(::rename(path("new").c_str(), path("old").c_str()), 0);
  EXPECT_EQ(text_of("old"), "new");
  char bytes[3];
  ASSERT_EQ(::pread(held.get(), bytes, 3, 0), 3);
  EXPECT_EQ(std::string(bytes, 3), "old");
  struct stat seen {};
  ASSERT_EQ(::fstat(held.get(), &seen), 0);
  EXPECT_EQ(seen.st_nlink, 0U);
}

TEST_F(TreeNames, ListingOfManyFilesMissesNoneWhileEachIsRemoved) {
  constexpr int kFiles = 1000;
  ASSERT_EQ(::mkdir(path("many").c_str(), 0755), 0);
  for (int i = 0; i < kFiles; ++i) make_file("many/file-" + std::to_string(i), "");
  DIR* const directory = ::opendir(path("many").c_str());
  ASSERT_NE(directory, nullptr);
  std::set<std::string> seen;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_EQ(::unlink(path("many/" + name).c_str()), 0);
  }
  ::closedir(directory);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kFiles));
  EXPECT_EQ(::rmdir(path("many").c_str()), 0);
}

TEST_F(TreeNames, ModesOwnersAndTimesAreKept) {
  make_file("f", "text");
  const timespec times[] = {{100, 1}, {200, 2}};
  ASSERT_EQ(::chmod(path("f").c_str(), 0640), 0);
  ASSERT_EQ(::chown(path("f").c_str(), 7, 8), 0);
  ASSERT_EQ(::utimensat(AT_FDCWD, path("f").c_str(), times, 0), 0);
  struct stat seen {};
  ASSERT_EQ(::stat(path("f").c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode, static_cast<mode_t>(S_IFREG | 0640));
  EXPECT_EQ(seen.st_uid, 7U);
  EXPECT_EQ(seen.st_gid, 8U);
  EXPECT_EQ(seen.st_atim.tv_sec, 100);
  EXPECT_EQ(seen.st_mtim.tv_sec, 200);
  EXPECT_EQ(seen.st_mtim.tv_nsec, 2);
}

TEST_F(TreeNames, DataStaysReadOnlyBesideTheTree) {
  const Fd data = open("data", O_RDONLY);
  EXPECT_TRUE(holds_pattern(data, 1U << 20U, kPageBytes));
  EXPECT_FALSE(open("data", O_RDWR).valid());
  EXPECT_EQ(errno, EROFS);
  EXPECT_EQ(refused(::unlink(path("data").c_str())), EPERM);
  EXPECT_EQ(refused(::mkdir(path("data").c_str(), 0755)), EEXIST);
}

}  // namespace
}  // namespace stallproof
