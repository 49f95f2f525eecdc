// SPDX-License-Identifier: Apache-2.0
// Key blocks and room of validated raw runs.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "workloads/vdbench/raw_job.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kMegabyte = 1U << 20U;

Plan planned(const std::string& text) {
  std::string path = "/tmp/stallproof-parm-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd >= 0) ::close(fd);
  std::ofstream(path) << text;
  auto plan = plan_parameter_files({path}, {}, {});
  ::unlink(path.c_str());
  EXPECT_TRUE(plan) << plan.error().what;
  return plan ? std::move(*plan) : Plan{};
}

std::string file_of(const std::string& workload, const std::string& run = "iorate=max") {
  return "validate=yes\nsd=sd1,lun=/f1,size=64m\nsd=sd2,lun=/dev/x\nwd=wd1,sd=sd1," + workload +
         "\nrd=rd1,wd=wd1," + run + "\n";
}

const std::vector<std::uint32_t> kSlots = {0, 8};

std::vector<Lun> luns(std::uint64_t size = 64 * kMegabyte) {
  return {{.path = "/f1", .size = size}, {.path = "/dev/x", .size = kMegabyte, .device = true}};
}

Result<RawRun> first_run(const Plan& plan) {
  const auto found = luns();
  return raw_run_of({.set = plan.set,
                     .run = plan.runs[0],
                     .luns = found,
                     .first_slots = kSlots,
                     .key_blocks = key_block_sizes(plan)});
}

using Sizes = std::vector<std::uint32_t>;

TEST(RawValidation, KeyBlockIsTheSmallestTransferOfAllRuns) {
  EXPECT_EQ(key_block_sizes(planned(file_of("xfersize=8k"))), (Sizes{8192, 0}));
  EXPECT_EQ(key_block_sizes(planned(file_of("xfersize=(64k,50,4k,50)"))), (Sizes{4096, 0}));
  EXPECT_EQ(key_block_sizes(planned(file_of("xfersize=4k", "iorate=max,forxfersize=(16k,8k)"))),
            (Sizes{8192, 0}));
}

TEST(RawValidation, KeyBlockCountsTheFormatThatMayBeNeeded) {
  EXPECT_EQ(key_block_sizes(planned(file_of("xfersize=1m"))), (Sizes{131072, 0}));
  EXPECT_EQ(key_block_sizes(planned("formatxfersize=64k\n" + file_of("xfersize=1m"))),
            (Sizes{65536, 0}));
  EXPECT_EQ(key_block_sizes(planned("validate=yes\nsd=sd1,lun=/dev/x\nwd=wd1,sd=sd1,xfersize=1m\n"
                                    "rd=rd1,wd=wd1,iorate=max\n")),
            Sizes{1048576});
}

TEST(RawValidation, NoKeyBlocksWithoutValidation) {
  Plan plan = planned(file_of("xfersize=8k"));
  plan.set.general.validate = false;
  EXPECT_EQ(key_block_sizes(plan), (Sizes{0, 0}));
  const auto run = first_run(plan);
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_FALSE(run->job.validation.on);
}

TEST(RawValidation, JobSaysHowToValidate) {
  const auto run =
      first_run(planned("validate=(read_after_write,time)\n" + file_of("xfersize=8k,rdpct=0")));
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_TRUE(run->job.validation.on && run->job.validation.read_after_write);
  EXPECT_TRUE(run->job.validation.keep_times && !run->job.validation.no_preread);
  EXPECT_EQ(run->job.files[0].key_block, 8192U);
  EXPECT_EQ(run->job.files[0].key_map, 0U);
  EXPECT_FALSE(run->job.files[0].read_only);
  EXPECT_TRUE(first_run(planned(file_of("xfersize=8k,rdpct=100")))->job.files[0].read_only);
}

TEST(RawValidation, TransfersMustBeWholeKeyBlocks) {
  EXPECT_FALSE(first_run(planned(file_of("xfersize=(4k,50,6k,50)"))));
  EXPECT_TRUE(first_run(planned(file_of("xfersize=(4k,50,12k,50)"))));
  EXPECT_FALSE(first_run(planned(file_of("xfersize=1000"))));
}

TEST(RawValidation, SdMustHaveRoomForWhatMayBeQueued) {
  // 64 MiB are 2340 transfers of 28 KiB and 2730 of 24 KiB; 2000 + 8 + 256 are needed.
  EXPECT_TRUE(first_run(planned(file_of("xfersize=28k"))));
  EXPECT_FALSE(first_run(planned(file_of("xfersize=32k"))));
  const auto refused = first_run(planned(file_of("xfersize=24k", "iorate=100")));
  ASSERT_FALSE(refused) << "with a rate it is 4000 + 8 + 256";
  EXPECT_NE(refused.error().what.find("4264"), std::string::npos) << refused.error().what;
  EXPECT_TRUE(first_run(planned(file_of("xfersize=12k", "iorate=100"))));
  EXPECT_FALSE(first_run(planned(file_of("xfersize=24k", "iorate=max,threads=800"))));
}

TEST(RawValidation, FormatWritesKeyBlocksToo) {
  const Plan plan = planned(file_of("xfersize=8k"));
  const auto format = format_run_of(plan.set, luns(5 * kMegabyte + 77), kSlots, {true, false},
                                    key_block_sizes(plan));
  ASSERT_TRUE(format && *format) << format.error().what;
  EXPECT_TRUE((*format)->job.validation.on);
  EXPECT_EQ((*format)->job.files[0].key_block, 8192U);
  EXPECT_EQ((*format)->job.streams[0].low, 5 * kMegabyte);
}

TEST(RawValidation, FormatThatFitsNoKeyBlockFailsWhenItIsNeeded) {
  const Plan plan = planned(file_of("xfersize=12k"));
  EXPECT_EQ(key_block_sizes(plan), (Sizes{12288, 0}));
  EXPECT_TRUE(first_run(plan));
  const auto blocks = key_block_sizes(plan);
  EXPECT_FALSE(format_run_of(plan.set, luns(0), kSlots, {true, false}, blocks));
  EXPECT_TRUE(format_run_of(plan.set, luns(), kSlots, {true, false}, blocks));
}

}  // namespace
}  // namespace stallproof
