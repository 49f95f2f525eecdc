// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_job.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "workloads/io/open_flags.h"

namespace stallproof {
namespace {

TEST(IoJob, ComesOutOfSharedMemoryAsItWentIn) {
  IoJob job{.engine = IoEngine::uring,
            .files = {{.name = "sd1", .path = "/x", .size = 7, .threads = 3, .first_slot = 9}},
            .streams = {{.xfersizes = {4096, 40, 8192, 60},
                         .low = 1,
                         .high = 2,
                         .stride = std::array<std::uint64_t, 2>{5, 6},
                         .rate = 12.5}},
            .distribution = ArrivalDistribution::uniform,
            .seed = 42,
            .jvm = true};
  auto memory = share_job(job);
  ASSERT_TRUE(memory);
  const auto copy = job_of_memory(memory->get());
  ASSERT_TRUE(copy) << copy.error().what;
  EXPECT_EQ(job_json(*copy), job_json(job));
  EXPECT_EQ(copy->files[0].first_slot, 9U);
  EXPECT_EQ((*copy->streams[0].stride)[1], 6U);
}

TEST(IoJob, WhatIsNoJobIsAnError) {
  for (const char* const text : {"", "{}", "[1", R"({"engine":"psync"})"})
    EXPECT_FALSE(job_of_json(text)) << text;
}

TEST(IoJob, TheLargestTransferCountsAllForms) {
  EXPECT_EQ(largest_of({4096}), 4096U);
  EXPECT_EQ(largest_of({4096, 90, 65536, 10}), 65536U);
  EXPECT_EQ(largest_of({4096, 131072, 512}), 131072U);
}

TEST(OpenFlags, AreVdbenchsOnLinux) {
  EXPECT_EQ(open_flags_of_words({"o_direct"})->flags, O_DIRECT);
  EXPECT_EQ(open_flags_of_words({"directio", "o_sync"})->flags, O_DIRECT | O_DSYNC);
  EXPECT_EQ(open_flags_of_words({"0x4000"})->flags, 0x4000);
  EXPECT_TRUE(open_flags_of_words({"fsync"})->sync_at_end);
  EXPECT_FALSE(open_flags_of_words({"o_direckt"}));
  EXPECT_FALSE(open_flags_of_words({"0xzz"}));
}

}  // namespace
}  // namespace stallproof
