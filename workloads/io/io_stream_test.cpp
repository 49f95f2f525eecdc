// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_stream.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace stallproof {
namespace {

constexpr std::uint64_t kFileSize = 1 << 20;

JobStream stream_of(std::uint64_t low, std::uint64_t high) {
  return {.xfersizes = {4096}, .low = low, .high = high};
}

struct Choice {
  explicit Choice(const JobStream& stream, JobFile file = {.size = kFileSize})
      : state(stream, file) {}
  std::optional<IoRequest> next() { return chooser.choose(state); }
  StreamState state;
  Chooser chooser{1, 0};
};

TEST(IoStream, RandomIoStaysInItsRangeOnWholeTransfers) {
  Choice choice(stream_of(64 << 10, 128 << 10));
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 2000; ++i) {
    const auto io = choice.next();
    ASSERT_TRUE(io);
    ASSERT_GE(io->offset, 64U << 10);
    ASSERT_LE(io->offset + io->size, 128U << 10);
    ASSERT_EQ(io->offset % 4096, 0U);
    seen.insert(io->offset);
  }
  EXPECT_EQ(seen.size(), 16U);  // every block of the range, none left out
}

TEST(IoStream, RandomIoMayBeAlignedOtherwise) {
  JobStream stream = stream_of(0, kFileSize);
  stream.xfersizes = {8192};
  Choice choice(stream, {.size = kFileSize, .align = 512});
  bool odd = false;
  for (int i = 0; i < 100; ++i) {
    const auto io = choice.next();
    ASSERT_EQ(io->offset % 512, 0U);
    ASSERT_LE(io->offset + io->size, kFileSize);
    odd = odd || io->offset % 8192 != 0;
  }
  EXPECT_TRUE(odd);
}

TEST(IoStream, SequentialIoStopsAtTheEndOrBeginsAgain) {
  JobStream stream = stream_of(0, 10 << 10);
  stream.seek_percent = 0;
  stream.stop_at_end = true;
  Choice once(stream);
  EXPECT_EQ(once.next()->offset, 0U);
  EXPECT_EQ(once.next()->offset, 4096U);
  const auto last = once.next();
  EXPECT_EQ(last->size, 2048U);  // the rest, short
  EXPECT_FALSE(once.next());
  stream.stop_at_end = false;
  Choice again(stream);
  for (int i = 0; i < 3; ++i) again.next();
  EXPECT_EQ(again.next()->offset, 0U);
}

TEST(IoStream, PercentagesAreKept) {
  JobStream stream = stream_of(0, kFileSize);
  stream.xfersizes = {4096, 30, 8192, 70};
  stream.read_percent = 25;
  stream.seek_percent = 60;
  Choice choice(stream);
  constexpr int kMany = 40'000;
  int writes = 0, small = 0, sequential = 0;
  std::uint64_t expected = ~std::uint64_t{0};
  for (int i = 0; i < kMany; ++i) {
    const auto io = choice.next();
    writes += io->write ? 1 : 0;
    small += io->size == 4096 ? 1 : 0;
    sequential += io->offset == expected ? 1 : 0;
    expected = io->offset + io->size;
  }
  EXPECT_NEAR(writes, kMany * 0.75, kMany * 0.01);
  EXPECT_NEAR(small, kMany * 0.30, kMany * 0.01);
  // Of the sequential ones some wrap at the end, and a random one may happen to follow.
  EXPECT_NEAR(sequential, kMany * 0.40, kMany * 0.02);
}

TEST(IoStream, HitsGoToTheirArea) {
  JobStream stream = stream_of(512 << 10, kFileSize);
  stream.hit_high = 64 << 10;
  stream.read_hits = 50;
  Choice choice(stream);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto io = choice.next();
    const bool hit = io->offset < 64U << 10;
    ASSERT_TRUE(hit || io->offset >= 512U << 10);
    hits += hit ? 1 : 0;
  }
  EXPECT_NEAR(hits, 5000, 250);
}

TEST(IoStream, AStrideSkipsForwardAndBeginsAgain) {
  JobStream stream = stream_of(0, 256 << 10);
  stream.stride = {64 << 10, 64 << 10};
  Choice choice(stream);
  std::uint64_t before = choice.next()->offset;
  EXPECT_EQ(before, 0U);
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t offset = choice.next()->offset;
    if (offset != 0) {
      EXPECT_EQ(offset, before + (64U << 10) + 4096);
    }
    before = offset;
  }
}

TEST(IoStream, StreamsAreSequentialSideBySide) {
  JobStream stream = stream_of(0, kFileSize);
  stream.seek_percent = 0;
  stream.parts = 4;
  StreamState state(stream, {.size = kFileSize});
  for (unsigned part = 0; part < 4; ++part) {
    Chooser chooser(1, part);
    EXPECT_EQ(chooser.choose(state)->offset, part * kFileSize / 4);
    EXPECT_EQ(chooser.choose(state)->offset, part * kFileSize / 4 + 4096);
  }
}

TEST(IoStream, ARangeBeyondTheEndGoesOnAtTheBeginning) {
  JobStream stream = stream_of(kFileSize / 2, kFileSize + kFileSize / 4);
  stream.wraps = true;
  Choice choice(stream);
  bool wrapped = false;
  for (int i = 0; i < 1000; ++i) {
    const auto io = choice.next();
    ASSERT_LE(io->offset + io->size, kFileSize);
    wrapped = wrapped || io->offset < kFileSize / 4;
  }
  EXPECT_TRUE(wrapped);
}

}  // namespace
}  // namespace stallproof
