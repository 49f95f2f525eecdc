// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_source.h"

#include <gtest/gtest.h>

#include <array>

namespace stallproof {
namespace {

constexpr std::uint64_t kSize = 1 << 20;

IoJob job_of(std::initializer_list<JobStream> streams, std::size_t files) {
  IoJob job{.streams = streams};
  for (std::size_t i = 0; i < files; ++i)
    job.files.push_back({.name = "sd" + std::to_string(i + 1), .size = kSize});
  for (JobStream& stream : job.streams) stream.high = kSize;
  return job;
}

TEST(IoSource, WithoutRatesAFileTakesItsStreamsInTurn) {
  const IoJob job = job_of({{.file = 0}, {.file = 1}, {.file = 0}}, 2);
  const auto source = make_source(job);
  source->begin(0);
  Chooser chooser(1, 0);
  std::uint64_t turn = 0;
  std::array<int, 3> taken{};
  for (int i = 0; i < 10; ++i) {
    const NextIo next = source->next(0, chooser, turn, 0);
    ASSERT_EQ(next.kind, NextIo::request);
    EXPECT_EQ(next.io.due, 0U);
    ++taken[next.io.stream];
  }
  EXPECT_EQ(taken, (std::array<int, 3>{5, 0, 5}));
}

TEST(IoSource, RatesMakeScheduledArrivalsInTheirShares) {
  const IoJob job = job_of({{.file = 0, .rate = 750}, {.file = 0, .rate = 250}}, 1);
  const auto source = make_source(job);
  source->begin(kSecond);
  Chooser chooser(1, 0);
  std::uint64_t turn = 0;
  std::array<int, 2> taken{};
  Nanos last = 0;
  constexpr int kMany = 20'000;
  for (int i = 0; i < kMany; ++i) {
    const NextIo next = source->next(0, chooser, turn, 0);
    ASSERT_EQ(next.kind, NextIo::request);
    ASSERT_GE(next.io.due, last);
    last = next.io.due;
    ++taken[next.io.stream];
  }
  EXPECT_NEAR(taken[0], kMany * 0.75, kMany * 0.015);
  EXPECT_NEAR(static_cast<double>(last - kSecond) / 1e9, kMany / 1000.0, 0.4);
}

// vdbench's rule that a stalled lun holds up the others, so that shares are kept.
TEST(IoSource, AFileThatTakesNothingHoldsUpTheOthers) {
  const IoJob job = job_of({{.file = 0, .rate = 1000}, {.file = 1, .rate = 1000}}, 2);
  const auto source = make_source(job);
  source->begin(0);
  Chooser chooser(1, 0);
  std::uint64_t turn = 0;
  int taken = 0;
  while (source->next(0, chooser, turn, 0).kind == NextIo::request && taken < 100'000) ++taken;
  EXPECT_NEAR(taken, static_cast<int>(kMostWaiting), 300);
  // As soon as the other file takes some of its own there is work again, and none was lost.
  for (int i = 0; i < 100; ++i) ASSERT_EQ(source->next(1, chooser, turn, 0).kind, NextIo::request);
  EXPECT_EQ(source->next(0, chooser, turn, 0).kind, NextIo::request);
}

TEST(IoSource, AStreamThatEndedIsLeftOutAndTheLastOneEndsTheRun) {
  IoJob job = job_of({{.file = 0, .seek_percent = 0, .stop_at_end = true}}, 1);
  job.streams[0].high = 8192;
  for (const double rate : {0.0, 1e6}) {
    job.streams[0].rate = rate;
    const auto source = make_source(job);
    source->begin(0);
    Chooser chooser(1, 0);
    std::uint64_t turn = 0;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(source->next(0, chooser, turn, 0).kind, NextIo::request);
    EXPECT_EQ(source->next(0, chooser, turn, 0).kind, NextIo::ended);
    EXPECT_EQ(source->ended_streams(), 1U);
  }
}

}  // namespace
}  // namespace stallproof
