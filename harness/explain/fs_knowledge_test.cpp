// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/fs_knowledge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "harness/base/file.h"
#include "harness/explain/glob.h"
#include "harness/explain/kernel_functions.h"

namespace stallproof {
namespace {

TEST(Glob, StarIsAnyRunAndTheRestIsLiteral) {
  EXPECT_TRUE(glob_match("dataio_srv/*", "dataio_srv/12"));
  EXPECT_TRUE(glob_match("*a*b", "xaxxbab"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_FALSE(glob_match("dataio_srv/*", "dataio_srv"));
  EXPECT_FALSE(glob_match("a?c", "abc"));
  EXPECT_FALSE(glob_match("", "a"));
}

TEST(Glob, ManyStarsDoNotExplode) {
  EXPECT_FALSE(glob_match("*a*a*a*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST(KernelFunctions, CompilerSuffixesAreIgnored) {
  EXPECT_EQ(kernel_meaning("do_mprotect_pkey.constprop.0"), KernelMeaning::mprotect);
  EXPECT_EQ(kernel_meaning("handle_mm_fault.isra.3"), KernelMeaning::fault);
  EXPECT_EQ(kernel_meaning("handle_mm"), KernelMeaning::none);
}

TEST(FsKnowledge, ShippedFilesLoad) {
  const auto knowledge = FsKnowledge::shipped();
  ASSERT_TRUE(knowledge) << knowledge.error().what;
  std::vector<std::string> names;
  for (const FsFile& file : knowledge->files()) names.push_back(file.name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"ffs", "fuse", "nfs"}));
  for (const FsFile& file : knowledge->files()) {
    EXPECT_FALSE(file.module.empty());
    EXPECT_FALSE(file.advice.empty());
    EXPECT_FALSE(file.waits_for_service.empty());
  }
}

std::string error_of(const std::string& toml) {
  FsKnowledge knowledge;
  const auto added = knowledge.add_text(toml, "dir/x.toml");
  return added ? "" : added.error().what;
}

TEST(FsKnowledge, ErrorsNameFileLineAndColumn) {
  EXPECT_EQ(error_of("module = \"x\"\nservce = [\"a\"]\n").substr(0, 39),
            "dir/x.toml:2:10: unknown key 'servce' (");
  EXPECT_EQ(error_of("service = \"a\"").substr(0, 16), "dir/x.toml:1:11:");
  EXPECT_EQ(error_of("idle = [\n  \"a\",\n  3]").substr(0, 15), "dir/x.toml:3:3:");
  EXPECT_EQ(error_of("idle = [").substr(0, 13), "dir/x.toml:1:");
  EXPECT_EQ(error_of("module = 3").substr(0, 16), "dir/x.toml:1:10:");
  EXPECT_EQ(error_of("module = \"x\"\n"), "");
}

TEST(FsKnowledge, LaterFileOfTheSameNameReplaces) {
  FsKnowledge knowledge;
  ASSERT_TRUE(knowledge.add_text("module = \"one\"", "x.toml"));
  ASSERT_TRUE(knowledge.add_text("module = \"other\"", "y.toml"));
  ASSERT_TRUE(knowledge.add_text("module = \"two\"", "/site/x.toml"));
  ASSERT_EQ(knowledge.files().size(), 2U);
  EXPECT_EQ(knowledge.files()[0].module, "two");
  EXPECT_EQ(cite(knowledge.files()[0], "idle", {.glob = "f", .line = 3}),
            "/site/x.toml:3 idle \"f\"");
}

TEST(FsKnowledge, SiteFolderIsReadAndMayBeMissing) {
  std::string folder = "/tmp/stallproof-fs-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  ASSERT_TRUE(write_file_atomically(folder + "/brick.toml", "module = \"brick\"\n"));
  ASSERT_TRUE(write_file_atomically(folder + "/readme.txt", "not toml ["));
  const auto knowledge = load_fs_knowledge({}, folder);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(knowledge) << knowledge.error().what;
  EXPECT_EQ(knowledge->files().front().name, "brick");
  EXPECT_TRUE(load_fs_knowledge({}, folder));
  EXPECT_FALSE(load_fs_knowledge({folder + "/absent.toml"}, folder));
}

}  // namespace
}  // namespace stallproof
