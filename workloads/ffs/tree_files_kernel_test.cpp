// SPDX-License-Identifier: Apache-2.0
// What is written by one way is read by every other, with and without the kernel's own write cache.
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <random>
#include <thread>

#include "workloads/ffs/testing/tree_mount_test.h"

namespace stallproof {
namespace {

constexpr std::size_t kSize = 64 * kPageBytes;

struct Mapping {
  Mapping(const Fd& file, std::size_t bytes)
      : base(static_cast<std::byte*>(
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0))),
        size(bytes) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(base, size); }
  std::byte* base;
  std::size_t size;
};

class TreeFiles : public TreeMountTest {
 protected:
  void expect_all_ways_agree() {
    const Fd buffered = open("f", O_RDWR | O_CREAT);
    const Fd direct = open("f", O_RDWR | O_DIRECT);
    ASSERT_TRUE(buffered.valid() && direct.valid());
    ASSERT_EQ(::ftruncate(buffered.get(), kSize), 0);
    const Mapping mapping(buffered, kSize);
    ASSERT_NE(mapping.base, MAP_FAILED);

    ASSERT_TRUE(write_pattern(buffered, 0, kSize / 4));
    ASSERT_TRUE(write_pattern(direct, kSize / 4, kSize / 4));
    fill_pattern(kSize / 2, {mapping.base + kSize / 2, kSize / 2});
    ASSERT_EQ(::msync(mapping.base, kSize, MS_SYNC), 0);

    EXPECT_TRUE(holds_pattern(direct, 0, kSize));
    EXPECT_TRUE(holds_pattern(buffered, 0, kSize));
    EXPECT_FALSE(first_wrong_byte(0, {mapping.base, kSize}));

    // From the server, not from the page cache.
    ASSERT_EQ(::posix_fadvise(buffered.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
    EXPECT_TRUE(holds_pattern(buffered, 0, kSize));
    struct stat seen {};
    ASSERT_EQ(::stat(target_->path("f").c_str(), &seen), 0);
    EXPECT_EQ(seen.st_size, static_cast<off_t>(kSize));
  }
};

TEST_F(TreeFiles, MappedDirectAndBufferedViewsAgree) {
  ASSERT_NO_FATAL_FAILURE(mount_tree());
  expect_all_ways_agree();
}

TEST_F(TreeFiles, ViewsAgreeWithTheWritebackCacheToo) {
  ASSERT_NO_FATAL_FAILURE(mount({"writable=yes", "store-size=64m", "writeback-cache=yes"}));
  expect_all_ways_agree();
}

TEST_F(TreeFiles, SizesAndHolesAreThoseOfTheCalls) {
  ASSERT_NO_FATAL_FAILURE(mount_tree());
  const Fd file = open("f", O_RDWR | O_CREAT);
  ASSERT_TRUE(write_pattern(file, 0, kSize));
  ASSERT_EQ(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kSize / 2), 0);
  struct stat seen {};
  ASSERT_EQ(::fstat(file.get(), &seen), 0);
  EXPECT_EQ(seen.st_size, static_cast<off_t>(kSize));
  EXPECT_EQ(seen.st_blocks, static_cast<blkcnt_t>(kSize / 2 / 512));
  std::byte byte{1};
  ASSERT_EQ(::pread(file.get(), &byte, 1, 100), 1);
  EXPECT_EQ(byte, std::byte{0});
  EXPECT_TRUE(holds_pattern(file, kSize / 2, kSize / 2));
  ASSERT_EQ(::fallocate(file.get(), 0, 0, 2 * kSize), 0);
  ASSERT_EQ(::fstat(file.get(), &seen), 0);
  EXPECT_EQ(seen.st_size, static_cast<off_t>(2 * kSize));
  EXPECT_TRUE(open("f", O_WRONLY | O_TRUNC).valid());
  ASSERT_EQ(::fstat(file.get(), &seen), 0);
  EXPECT_EQ(seen.st_size, 0);
  EXPECT_EQ(::pread(file.get(), &byte, 1, 0), 0);
}

TEST_F(TreeFiles, FullTargetSaysEnospcAndHasRoomAfterUnlink) {
  ASSERT_NO_FATAL_FAILURE(mount({"writable=yes", "store-size=8m"}));
  Fd file = open("full", O_RDWR | O_CREAT);
  const std::vector<std::byte> chunk(1U << 20U, std::byte{1});
  std::uint64_t written = 0;
  ssize_t last = 0;
  while ((last = ::write(file.get(), chunk.data(), chunk.size())) > 0)
    written += static_cast<std::uint64_t>(last);
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_EQ(written, 8U << 20U);
  struct statvfs space {};
  ASSERT_EQ(::statvfs(target_->directory().c_str(), &space), 0);
  EXPECT_EQ(space.f_bavail, 0U);
  ASSERT_EQ(::unlink(target_->path("full").c_str()), 0);
  ASSERT_EQ(::statvfs(target_->directory().c_str(), &space), 0);
  EXPECT_EQ(space.f_bavail, 0U) << "still open";
  file.reset();
  const Deadline deadline = Deadline::in(kSecond);
  while (space.f_bavail != space.f_blocks && !deadline.passed())
    ASSERT_EQ(::statvfs(target_->directory().c_str(), &space), 0);
  EXPECT_EQ(space.f_bavail, space.f_blocks);
}

// Each thread knows what its file must hold.
void write_and_verify(const Fd& buffered, const Fd& direct, unsigned seed, Deadline deadline,
                      std::string& wrong) {
  std::vector<std::byte> truth(kSize);
  std::minstd_rand random(seed);
  const AlignedBytes data = aligned_bytes(kSize);
  while (!deadline.passed() && wrong.empty()) {
    const std::size_t offset = random() % 48 * kPageBytes;
    const std::size_t size = (1 + random() % 16) * kPageBytes;
    const Fd& file = random() % 2 == 0 ? buffered : direct;
    if (random() % 2 == 0) {
      fill_pattern(random(), {data.get(), size});
      std::copy_n(data.get(), size, truth.begin() + static_cast<std::ptrdiff_t>(offset));
      if (::pwrite(file.get(), data.get(), size, static_cast<off_t>(offset)) !=
          static_cast<ssize_t>(size))
        wrong = "write failed";
    } else {
      const ssize_t got = ::pread(file.get(), data.get(), size, static_cast<off_t>(offset));
      if (got != static_cast<ssize_t>(size) ||
          !std::equal(data.get(), data.get() + size,
                      truth.begin() + static_cast<std::ptrdiff_t>(offset)))
        wrong = "read differs at " + std::to_string(offset);
    }
  }
}

TEST_F(TreeFiles, FourThreadsReadBackWhatTheyWroteByTurns) {
  ASSERT_NO_FATAL_FAILURE(mount_tree());
  std::vector<std::thread> threads;
  std::vector<std::string> wrong(4);
  std::vector<Fd> files;
  for (unsigned i = 0; i < 4; ++i) {
    const std::string name = "f" + std::to_string(i);
    files.push_back(open(name, O_RDWR | O_CREAT));
    files.push_back(open(name, O_RDWR | O_DIRECT));
    ASSERT_EQ(::ftruncate(files.back().get(), kSize), 0);
  }
  const Deadline deadline = Deadline::in(kSecond / 2);
  for (unsigned i = 0; i < 4; ++i)
    threads.emplace_back(
        [&, i] { write_and_verify(files[2 * i], files[2 * i + 1], i + 1, deadline, wrong[i]); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : wrong) EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace stallproof
