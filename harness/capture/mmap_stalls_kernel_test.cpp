// SPDX-License-Identifier: Apache-2.0
// Stalls of an address space, made here and now: who holds mmap_lock or a VMA's lock while a file
// system does not answer.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>

#include "harness/capture/testing/lab_fuse.h"
#include "harness/capture/testing/lab_process.h"
#include "harness/capture/testing/stall_lab.h"

namespace stallproof::testing {
namespace {

constexpr std::size_t kPage = 4096;

// What the load's threads share; set up in their process, before any of them moves.
struct Shared {
  int fd = -1;
  char* page = nullptr;   // of the file
  char* other = nullptr;  // memory of its own
};
Shared shared;

bool map_file(const std::string& path) {
  shared.fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  void* const page = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, shared.fd, 0);
  shared.other = static_cast<char*>(
      ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (shared.fd < 0 || page == MAP_FAILED) return false;
  shared.page = static_cast<char*>(page);
  return true;
}
bool map_dirty(const std::string& path) {
  if (!map_file(path)) return false;
  shared.page[0] = 1;
  return true;
}
void protect_other() { ::mprotect(shared.other, kPage, PROT_READ); }

class MmapStallTest : public StallTest {
 protected:
  void SetUp() override {
    StallTest::SetUp();
    if (IsSkipped()) return;
    auto fuse = LabFuse::start();
    ASSERT_TRUE(fuse) << fuse.error().what;
    fuse_.emplace(std::move(*fuse));
  }
  LabProcess load_;
  std::optional<LabFuse> fuse_;  // healed before the load is ended
};

TEST_F(MmapStallTest, MunmapOfADirtyPageHoldsTheLockForRead) {
  ASSERT_TRUE(
      load_.start([this] { return map_dirty(fuse_->path("file")); },
                  {{"unmapper", [] { ::munmap(shared.page, kPage); }}, {"writer", protect_other}}));
  ASSERT_TRUE(fuse_->stop());
  ASSERT_TRUE(load_.go(0));
  ASSERT_TRUE(load_.go(1));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "mmap_lock_held:munmap_read>mprotect_write") << result.summary;
  EXPECT_EQ(result.root.holder, task_id(load_.tid(0)));
  EXPECT_EQ(result.root.first_writer, task_id(load_.tid(1)));
}

TEST_F(MmapStallTest, MappingOverADirtyPageHoldsTheLockForWrite) {
  ASSERT_TRUE(load_.start([this] { return map_dirty(fuse_->path("file")); },
                          {{"mapper",
                            [] {
                              ::mmap(shared.page, kPage, PROT_READ,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
                            }},
                           {"writer", protect_other}}));
  ASSERT_TRUE(fuse_->stop());
  ASSERT_TRUE(load_.go(0));
  ASSERT_TRUE(load_.go(1));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "mmap_lock_held:mmap_write>mprotect_write") << result.summary;
  EXPECT_EQ(result.root.holder, task_id(load_.tid(0)));
}

TEST_F(MmapStallTest, WritingAPageUnderWritebackHoldsItsVmaLock) {
  ASSERT_TRUE(load_.start([this] { return map_dirty(fuse_->path("file")); },
                          {{"syncer", [] { ::msync(shared.page, kPage, MS_SYNC); }},
                           {"toucher", [] { shared.page[1] = 2; }},
                           {"writer", [] { ::mprotect(shared.page, kPage, PROT_READ); }},
                           {"reader", protect_other}}));
  ASSERT_TRUE(fuse_->stop());
  for (const std::size_t step : {0U, 1U, 2U, 3U}) ASSERT_TRUE(load_.go(step));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "vma_lock_held:fault_read>mprotect_write") << result.summary;
  EXPECT_EQ(result.root.holder, task_id(load_.tid(1)));
  EXPECT_EQ(result.root.first_writer, task_id(load_.tid(2)));
}

TEST_F(MmapStallTest, MappingADirectFileWaitsForAPageWithTheLockHeld) {
  const auto prepare = [this] {
    shared.fd = ::open(fuse_->path("direct").c_str(), O_RDWR | O_CLOEXEC);
    shared.other = static_cast<char*>(
        ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    void* const page = ::mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, shared.fd, 0);
    if (page == MAP_FAILED) return false;
    shared.page = static_cast<char*>(page);
    return true;
  };
  ASSERT_TRUE(load_.start(
      prepare, {{"toucher", [] { static_cast<void>(*const_cast<volatile char*>(shared.page)); }},
                {"mapper", [] { ::mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, shared.fd, 0); }},
                {"writer", protect_other}}));
  ASSERT_TRUE(fuse_->stop());
  for (const std::size_t step : {0U, 1U, 2U}) ASSERT_TRUE(load_.go(step));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "mmap_lock_held:mmap_write>mprotect_write") << result.summary;
  EXPECT_EQ(result.root.holder, task_id(load_.tid(1)));
}

TEST_F(MmapStallTest, AFirstTryFaultHoldsNothing) {
  ASSERT_TRUE(
      load_.start([this] { return map_file(fuse_->path("file")); },
                  {{"toucher", [] { static_cast<void>(*const_cast<volatile char*>(shared.page)); }},
                   {"writer", protect_other}}));
  ASSERT_TRUE(fuse_->stop());
  for (const std::size_t step : {0U, 1U}) ASSERT_TRUE(load_.go(step));
  EXPECT_TRUE(load_.done(1));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "fs_server_stuck:request>service_stopped") << result.summary;
}

TEST_F(MmapStallTest, AServerThatReadsItsCallersCommandLineClosesTheCircle) {
  const auto prepare = [this] {
    shared.fd = ::open(fuse_->path("audit").c_str(), O_RDWR | O_CLOEXEC);
    void* const page = ::mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, shared.fd, 0);
    shared.page = static_cast<char*>(page);
    return page != MAP_FAILED;
  };
  ASSERT_TRUE(load_.start(
      prepare, {{"toucher", [] { static_cast<void>(*const_cast<volatile char*>(shared.page)); }},
                {"mapper", [] { ::mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, shared.fd, 0); }}}));
  for (const std::size_t step : {0U, 1U, 1U}) ASSERT_TRUE(load_.go(step));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "mmap_lock_cycle:mmap_write>service_read") << result.summary;
  EXPECT_EQ(result.root.holder, task_id(load_.tid(1)));
  EXPECT_TRUE(result.cycle.has_value());
}

}  // namespace
}  // namespace stallproof::testing
