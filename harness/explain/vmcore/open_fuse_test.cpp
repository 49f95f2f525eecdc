// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/open_fuse.h"

#include <gtest/gtest.h>

#include "harness/explain/vmcore/memory_fixture.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kFiles = 0xffffffff82000000ULL;
constexpr std::uint64_t kFile = 0xffffffff83000000ULL;
constexpr std::uint64_t kInode = 0xffffffff84000000ULL;
constexpr std::uint64_t kDevice = 0xffffffff85000000ULL;
constexpr std::uint64_t kFuseCalls = 0xffffffffc0001000ULL;
constexpr std::uint64_t kOtherCalls = 0xffffffff81001000ULL;
constexpr std::uint32_t kFuseNumber = 10U << 20U | 229U;
constexpr FileTableLayout kLayout{.fdt = 0x20,
                                  .max_fds = 0,
                                  .fd = 8,
                                  .f_op = 0x10,
                                  .f_inode = 0x18,
                                  .private_data = 0x20,
                                  .i_rdev = 0x4};

// A process's table at `files`, with these files open after a closed descriptor.
void put_table(MadeMemory& memory, std::uint64_t files, const std::vector<std::uint64_t>& open) {
  memory.put(files + kLayout.fdt, files + 0x100);
  memory.put(files + 0x100, static_cast<std::uint32_t>(open.size() + 1));
  memory.put(files + 0x108, files + 0x200).put(files + 0x200, std::uint64_t{0});
  for (std::size_t i = 0; i < open.size(); ++i) memory.put(files + 0x208 + i * 8, open[i]);
}

void put_file(MadeMemory& memory, std::uint64_t file, std::uint64_t calls, std::uint64_t inode,
              std::uint64_t own) {
  memory.put(file + kLayout.f_op, calls).put(file + kLayout.f_inode, inode);
  memory.put(file + kLayout.private_data, own);
}

DumpedTask task(std::int32_t tgid, std::uint64_t files) {
  DumpedTask out;
  out.pid = out.tgid = tgid;
  out.files = files;
  return out;
}

// A server with the device, a socket, and the device once more by dup.
MadeMemory server() {
  MadeMemory memory;
  put_file(memory, kFile, kOtherCalls, kInode, 0);
  put_file(memory, kFile + 0x100, kFuseCalls, kInode + 0x100, kDevice | 1);
  memory.put(kInode + kLayout.i_rdev, std::uint32_t{0});
  memory.put(kInode + 0x100 + kLayout.i_rdev, kFuseNumber);
  put_table(memory, kFiles, {kFile, kFile + 0x100, kFile + 0x100});
  return memory;
}

TEST(OpenFuse, DeviceIsFoundOncePerProcess) {
  bool unread = false;
  const auto found = find_open_fuse(
      server(), kLayout, {task(7, kFiles), task(7, kFiles), task(9, kFiles), task(1, 0)}, unread);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].device, kDevice);
  EXPECT_EQ(found[0].tgid, 7);
  EXPECT_EQ(found[1].tgid, 9);
  EXPECT_FALSE(unread);
}

TEST(OpenFuse, DeviceThatIsNotMountedIsNoServer) {
  MadeMemory memory = server();
  memory.put(kFile + 0x100 + kLayout.private_data, std::uint64_t{0});
  bool unread = false;
  EXPECT_TRUE(find_open_fuse(memory, kLayout, {task(7, kFiles)}, unread).empty());
  EXPECT_FALSE(unread);
}

TEST(OpenFuse, InodeThatIsMissingDoesNotHideTheNextFileOfItsKind) {
  MadeMemory memory = server();
  put_file(memory, kFile, kFuseCalls, kInode + 0x4000, kDevice + 0x40);
  bool unread = false;
  const auto found = find_open_fuse(memory, kLayout, {task(7, kFiles)}, unread);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].device, kDevice);
}

TEST(OpenFuse, TableThatIsNotThereIsTold) {
  MadeMemory memory = server();
  memory.forget(kFiles + 0x200, 8);
  bool unread = false;
  EXPECT_TRUE(find_open_fuse(memory, kLayout, {task(7, kFiles)}, unread).empty());
  EXPECT_TRUE(unread);
}

}  // namespace
}  // namespace stallproof
