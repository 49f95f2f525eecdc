// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/file_pace.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

FileJob two_workloads(double rate) {
  return {.workloads = {{.share = 80}, {.workload = 1, .share = 20}},
          .rate = rate,
          .distribution = ArrivalDistribution::uniform};
}

unsigned turns_until_held_up(FilePace& pace, std::uint32_t workload) {
  unsigned turns = 0;
  while (pace.next(workload, 0).kind == Turn::go && turns < 100'000) ++turns;
  return turns;
}

TEST(FilePace, OneThatTakesNoTurnsHoldsUpTheOthers) {
  const FileJob job = two_workloads(0);
  FilePace pace(job);
  pace.begin(0);
  // 2000 turns of the second wait, four times as many of the first were given out.
  EXPECT_NEAR(turns_until_held_up(pace, 0), 8000, 8);
  EXPECT_EQ(pace.next(1, 0).kind, Turn::go);
  EXPECT_EQ(pace.next(0, 0).kind, Turn::go);
}

TEST(FilePace, OneThatHasEndedHoldsUpNobody) {
  const FileJob job = two_workloads(0);
  FilePace pace(job);
  pace.begin(0);
  EXPECT_TRUE(pace.leave(1));
  EXPECT_EQ(turns_until_held_up(pace, 0), 100'000U);
  EXPECT_EQ(pace.next(1, 0).kind, Turn::ended);
}

TEST(FilePace, TurnsOfARateAreDueAtItsShare) {
  const FileJob job = two_workloads(1000);
  FilePace pace(job);
  pace.begin(kSecond);
  Nanos last = 0;
  for (int i = 0; i < 800; ++i) {
    const Turn turn = pace.next(0, 0);
    ASSERT_EQ(turn.kind, Turn::go);
    EXPECT_GE(turn.due, last);
    last = turn.due;
  }
  EXPECT_NEAR(static_cast<double>(last - kSecond) * 1e-9, 1, 0.15);
}

TEST(FileJob, SurvivesItsWayThroughSharedMemory) {
  FileJob job = two_workloads(7);
  job.anchors = {{.name = "fsd1", .path = "/a", .sizes = {1, 2, 3, 98}, .total_size = 5}};
  job.workloads[0].target = 3;
  job.workloads[0].operation = FileOperation::copy;
  job.format.restart = true;
  const auto memory = share_job(job);
  ASSERT_TRUE(memory);
  const auto back = file_job_of_memory(memory->get());
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(job_json(*back), job_json(job));
  EXPECT_EQ(back->anchors, job.anchors);
  EXPECT_FALSE(file_job_of_json("{}"));
}

}  // namespace
}  // namespace stallproof
