// SPDX-License-Identifier: Apache-2.0
// The watchdog's loop may not allocate: malloc can take mmap_lock, and a page fault can wait for
// the disk that is stuck. Every operator new of this program is counted.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <new>

#include "harness/probe/kernel_scan.h"
#include "harness/probe/kmsg_reader.h"

namespace {
thread_local std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace stallproof {
namespace {

TEST(NoAllocation, CounterCounts) {
  const std::size_t before = allocations;
  auto* volatile memory = new int(1);
  delete memory;
  EXPECT_EQ(allocations, before + 1);
}

// With root and BTF there, a program that the kernel refuses is our defect.
bool lacks_means() { return ::geteuid() != 0 || ::access("/sys/kernel/btf/vmlinux", R_OK) != 0; }

TEST(NoAllocation, ScanUsesOnlyTheCallersBuffer) {
  auto scan = KernelScan::open();
  if (!scan && lacks_means()) GTEST_SKIP() << scan.error().what;
  ASSERT_TRUE(scan) << scan.error().what;
  ASSERT_TRUE(scan->watch(::getpid()));
  std::vector<std::byte> buffer(1 << 20);
  const std::size_t before = allocations;
  std::size_t used = 0;
  for (int i = 0; i < 3; ++i) used += scan->scan(buffer).value_or(0);
  EXPECT_EQ(allocations, before);
  EXPECT_GT(used, 0U);
}

TEST(NoAllocation, FailedScanAndWatchAllocateNothing) {
  auto scan = KernelScan::open({.fuse = false});
  if (!scan && lacks_means()) GTEST_SKIP() << scan.error().what;
  ASSERT_TRUE(scan) << scan.error().what;
  std::array<std::byte, 8> tiny{};
  const std::size_t before = allocations;
  const auto scanned = scan->scan(tiny);
  const auto unwatched = scan->unwatch(::getpid());
  bool full = false;
  for (pid_t pid = 1; pid <= 1025 && !full; ++pid) {
    const auto watched = scan->watch(pid);
    full = !watched && watched.error() == E2BIG;
  }
  EXPECT_EQ(allocations, before);
  EXPECT_TRUE(full);
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error(), EINVAL);
  ASSERT_FALSE(unwatched);
  EXPECT_EQ(unwatched.error(), ENOENT);
}

class Chatter : public KmsgSource {
 public:
  long read(std::span<char> into) noexcept override {
    constexpr std::string_view kRecord = "6,1,1,-;a line that is longer than a small string\n";
    if (++turn_ % 3 == 0) return -EPIPE;
    if (turn_ > 100) return -EAGAIN;
    std::copy(kRecord.begin(), kRecord.end(), into.begin());
    return static_cast<long>(kRecord.size());
  }

 private:
  int turn_ = 0;
};

TEST(NoAllocation, DrainUsesOnlyTheCallersRing) {
  KmsgReader reader(std::make_unique<Chatter>());
  KmsgRing ring(16);
  const std::size_t before = allocations;
  EXPECT_GT(reader.drain(ring), 16U);
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace stallproof
