// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/fs_modules.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "harness/probe/fuse_server.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

class FsModulesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "stallproof-modules-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    write("modules", "loop 1 0 - Live 0x0\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(root_ + "/" + name).parent_path());
    std::ofstream(root_ + "/" + name) << text;
  }
  void load(const std::string& name, const std::string& version) const {
    write("sysfs/" + name + "/initstate", "live\n");
    write("sysfs/" + name + "/srcversion", "SRC" + name + "\n");
    if (!version.empty()) write("sysfs/" + name + "/version", version + "\n");
  }
  [[nodiscard]] std::vector<FsModule> of(const std::string& fstype) {
    return modules_of_fs(fstype, {.sysfs = root_ + "/sysfs",
                                  .loaded = root_ + "/modules",
                                  .library = [this](const std::string& name) {
                                    const auto found = library_.find(name);
                                    return found == library_.end()
                                               ? std::optional<std::string>()
                                               : std::optional<std::string>(found->second);
                                  }});
  }

  std::string root_;
  std::map<std::string, std::string> library_;
};

TEST_F(FsModulesTest, LoadedModuleIsToldWithItsVersions) {
  load("ffs", "3.2");
  const auto modules = of("ffs");
  ASSERT_EQ(modules.size(), 1U);
  EXPECT_EQ(modules[0].version, "3.2");
  EXPECT_EQ(modules[0].srcversion, "SRCffs");
  EXPECT_FALSE(modules[0].built_in);
  EXPECT_EQ(module_words(modules[0]), "ffs 3.2 (srcversion SRCffs)");
}

TEST_F(FsModulesTest, WhatItUsesAndWhatUsesItComeBehindIt) {
  for (const char* name : {"ffs", "ffs_net", "ffs_tools"}) load(name, "");
  write("sysfs/ffs_net/holders/ffs", "");
  write("sysfs/ffs/holders/ffs_tools", "");
  const auto modules = of("ffs");
  ASSERT_EQ(modules.size(), 3U);
  EXPECT_EQ(modules[0].name, "ffs");
  EXPECT_EQ(modules[1].name, "ffs_tools");
  EXPECT_EQ(modules[2].name, "ffs_net");
}

TEST_F(FsModulesTest, AnotherNameIsFoundByTheAlias) {
  load("mmfs26", "5.1");
  library_["modules.alias"] = "alias fs-ext3 ext4\nalias fs-gpfs mmfs26\n";
  EXPECT_EQ(of("gpfs").at(0).name, "mmfs26");
}

TEST_F(FsModulesTest, AServersTypeIsFuse) {
  write("sysfs/fuse/parameters/max_user_bgreq", "1\n");
  const auto modules = of("fuse.sshfs");
  ASSERT_EQ(modules.size(), 1U);
  EXPECT_TRUE(modules[0].built_in);
  EXPECT_EQ(module_words(modules[0]), "fuse (built into the kernel)");
}

TEST_F(FsModulesTest, WithoutATraceInSysfsItIsBuiltInOnlyWhereThatIsKnown) {
  EXPECT_TRUE(of("ext4").empty());
  library_["modules.builtin"] = "kernel/fs/jbd2/jbd2.ko\nkernel/fs/ext4/ext4.ko\n";
  EXPECT_TRUE(of("ext4").at(0).built_in);
  library_.clear();
  write("modules", "");  // nothing is loaded: whatever is mounted is built in
  EXPECT_TRUE(of("ext4").at(0).built_in);
}

TEST_F(FsModulesTest, NoNameLeadsOutOfTheFolder) {
  EXPECT_TRUE(of("../modules").empty());
  EXPECT_TRUE(of("").empty());
}

TEST_F(FsModulesTest, ServerOfAConnectionIsFoundByItsDescriptors) {
  for (const auto& [pid, connection] : std::map<int, int>{{10, 41}, {11, 42}}) {
    const std::string process = "proc/" + std::to_string(pid);
    write(process + "/status", "Name:\tserver" + std::to_string(pid) + "\n");
    write(process + "/fdinfo/3", "pos:\t0\nfuse_connection:\t" + std::to_string(connection) + "\n");
    fs::create_directories(root_ + "/" + process + "/fd");
    fs::create_symlink("/dev/fuse", root_ + "/" + process + "/fd/3");
    fs::create_symlink("/usr/bin/server", root_ + "/" + process + "/exe");
  }
  const auto server = find_fuse_server(42, 2 * kSecond, root_ + "/proc");
  ASSERT_TRUE(server);
  EXPECT_EQ(server->pid, 11);
  EXPECT_EQ(server->comm, "server11");
  EXPECT_EQ(server->exe, "/usr/bin/server");
  EXPECT_FALSE(find_fuse_server(43, 2 * kSecond, root_ + "/proc"));
}

TEST_F(FsModulesTest, WhereDescriptorsTellNoConnectionTheOnlyServerIsIt) {
  write("proc/10/status", "Name:\tonly\n");
  write("proc/10/fdinfo/3", "pos:\t0\n");
  fs::create_directories(root_ + "/proc/10/fd");
  fs::create_symlink("/dev/fuse", root_ + "/proc/10/fd/3");
  ASSERT_TRUE(find_fuse_server(42, 2 * kSecond, root_ + "/proc"));
  write("proc/12/status", "Name:\tother\n");
  fs::create_directories(root_ + "/proc/12/fd");
  fs::create_symlink("/dev/fuse", root_ + "/proc/12/fd/5");
  EXPECT_FALSE(find_fuse_server(42, 2 * kSecond, root_ + "/proc"));
}

}  // namespace
}  // namespace stallproof
