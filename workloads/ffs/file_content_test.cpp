// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/file_content.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "workloads/ffs/pattern.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = PageStore::kPage;
constexpr std::size_t kPages = 16;

std::vector<std::byte> pattern(std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> data(size);
  fill_pattern(offset, data);
  return data;
}

class FileContentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = PageStore::create(kPages * kPage);
    ASSERT_TRUE(store) << store.error().what;
    store_ = std::move(*store);
    file_.emplace(*store_);
  }
  // What read() gives; asks for `size` bytes.
  std::vector<std::byte> read(std::uint64_t offset, std::size_t size) {
    std::vector<std::byte> data(size, std::byte{0xee});
    data.resize(file_->read(offset, data));
    return data;
  }
  bool zeros(std::uint64_t offset, std::size_t size) {
    const auto data = read(offset, size);
    return data.size() == size && std::all_of(data.begin(), data.end(),
                                              [](std::byte byte) { return byte == std::byte{}; });
  }
  void write(std::uint64_t offset, std::size_t size) {
    ASSERT_EQ(file_->write(offset, pattern(offset, size), false).value_or(0), size);
  }
  [[nodiscard]] std::size_t used() const { return kPages - store_->free_pages(); }

  std::unique_ptr<PageStore> store_;
  std::optional<FileContent> file_;
};

TEST_F(FileContentTest, AnyCutReadsBackAsItWasWritten) {
  write(1000, 9000);
  for (const std::uint64_t offset : {1000U, 4095U, 4096U, 8191U, 9990U}) {
    const auto data = read(offset, 10);
    EXPECT_EQ(data, pattern(offset, 10)) << offset;
  }
  EXPECT_TRUE(zeros(0, 1000));
}

TEST_F(FileContentTest, SparseReadsAreZerosAndTakeNoMemory) {
  write(1ULL << 40U, 10);
  EXPECT_EQ(used(), 1U);
  EXPECT_TRUE(zeros(1ULL << 39U, 100'000));
  EXPECT_EQ(used(), 1U);
  EXPECT_EQ(file_->state().size, (1ULL << 40U) + 10);
}

TEST_F(FileContentTest, ReadIsCutAtTheEnd) {
  write(0, 5000);
  EXPECT_EQ(read(4990, 100), pattern(4990, 10));
  EXPECT_TRUE(read(5000, 1).empty());
  EXPECT_TRUE(read(1ULL << 50U, 1).empty());
}

TEST_F(FileContentTest, WhatWasCutOffDoesNotComeBack) {
  write(0, 3 * kPage);
  file_->resize(5000);
  EXPECT_EQ(used(), 2U);
  file_->resize(3 * kPage);
  EXPECT_EQ(read(0, 5000), pattern(0, 5000));
  EXPECT_TRUE(zeros(5000, 3 * kPage - 5000));
}

TEST_F(FileContentTest, FullStoreTakesWhatFitsThenRefuses) {
  const auto data = pattern(0, (kPages + 4) * kPage);
  EXPECT_EQ(file_->write(0, data, false).value_or(0), kPages * kPage);
  const auto refused = file_->write(kPages * kPage, data, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), ENOSPC);
  EXPECT_EQ(file_->state().size, kPages * kPage);
  EXPECT_TRUE(file_->write(0, pattern(0, kPage), false)) << "a page that has memory needs no more";
}

TEST_F(FileContentTest, WritebackIsStoredWholeOrRefused) {
  write(0, (kPages - 1) * kPage);
  const auto refused = file_->write(20 * kPage, pattern(0, 2 * kPage), true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), ENOSPC);
  EXPECT_EQ(store_->free_pages(), 1U);
  EXPECT_EQ(file_->state().size, (kPages - 1) * kPage);
}

TEST_F(FileContentTest, AllocatedSpaceIsZeroAndCannotRunOut) {
  ASSERT_TRUE(file_->allocate(0, 4 * kPage, false));
  EXPECT_EQ(file_->state().size, 4 * kPage);
  EXPECT_TRUE(zeros(0, 4 * kPage));
  FileContent other(*store_);
  ASSERT_TRUE(other.write(0, pattern(0, (kPages - 4) * kPage), true));
  EXPECT_TRUE(file_->write(0, pattern(0, 4 * kPage), true));
}

TEST_F(FileContentTest, AllocationThatKeepsTheSizeHoldsMemoryBehindTheEnd) {
  ASSERT_TRUE(file_->allocate(0, 4 * kPage, true));
  EXPECT_EQ(file_->state().size, 0U);
  EXPECT_EQ(file_->state().pages, 4U);
}

TEST_F(FileContentTest, AllocationThatDoesNotFitChangesNothing) {
  write(0, kPage);
  for (const std::uint64_t length : {(kPages + 1) * kPage, std::uint64_t{1} << 62U}) {
    const auto refused = file_->allocate(0, length, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), ENOSPC);
    EXPECT_EQ(used(), 1U);
    EXPECT_EQ(file_->state().size, kPage);
  }
}

TEST_F(FileContentTest, HoleReadsAsZerosAndGivesWholePagesBack) {
  write(0, 4 * kPage);
  file_->punch_hole(100, 2 * kPage);
  EXPECT_EQ(used(), 3U) << "pages 0 and 2 are cut, page 1 is gone";
  EXPECT_EQ(read(0, 100), pattern(0, 100));
  EXPECT_TRUE(zeros(100, 2 * kPage));
  EXPECT_EQ(read(2 * kPage + 100, kPage), pattern(2 * kPage + 100, kPage));
  EXPECT_EQ(file_->state().size, 4 * kPage);
}

TEST_F(FileContentTest, MemoryUsedBeforeComesBackAsZeros) {
  write(0, kPages * kPage);
  file_.reset();
  EXPECT_EQ(used(), 0U);
  file_.emplace(*store_);
  ASSERT_TRUE(file_->write(kPages * kPage - 1, pattern(0, 1), false));
  EXPECT_TRUE(zeros(kPages * kPage - kPage, kPage - 1));
}

TEST(PageStore, MoreThanTheMachineHasIsRefused) {
  const auto store = PageStore::create(1ULL << 60U);
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().what.find("store-size"), std::string::npos);
  EXPECT_FALSE(PageStore::create(100));
}

}  // namespace
}  // namespace stallproof
