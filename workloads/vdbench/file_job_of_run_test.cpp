// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/file_job_of_run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

namespace stallproof {
namespace {

const std::string kTwo =
    "fsd=fsd1,anchor=/a,depth=1,width=2,files=10,sizes=4k\n"
    "fsd=fsd2,anchor=/b,depth=1,width=2,files=10,sizes=4k,openflags=o_direct\n";

Plan planned(const std::string& text) {
  std::string path = ::testing::TempDir() + "stallproof-parm-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd >= 0) ::close(fd);
  std::ofstream(path) << text;
  auto plan = plan_parameter_files({path}, {}, {});
  ::unlink(path.c_str());
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().what);
  return plan ? std::move(*plan) : Plan();
}

Result<FileRun> made(const Plan& plan, std::size_t run, double maximum = 0) {
  return file_run_of({.set = plan.set, .run = plan.runs.at(run), .measured_maximum = maximum});
}

TEST(FileJobOfRun, ThreadsAreSplitAmongFsdsAndOperations) {
  const Plan plan = planned(kTwo +
                            "fwd=fwd1,fsd=fsd*,threads=9\n"
                            "rd=rd1,fwd=fwd1,fwdrate=max,operations=(read,getattr)\n");
  const auto run = made(plan, 0);
  ASSERT_TRUE(run) << run.error().what;
  ASSERT_EQ(run->job.workloads.size(), 4U);
  std::uint32_t slot = 0;
  for (const JobFileWorkload& workload : run->job.workloads) {
    EXPECT_EQ(workload.threads, 2U);
    EXPECT_EQ(workload.first_slot, slot);
    EXPECT_DOUBLE_EQ(workload.share, 25);
    slot += 2;
  }
  EXPECT_EQ(run->job.rate, 0);
  EXPECT_EQ(run->job.workloads[3].open_flags, O_DIRECT);
  EXPECT_EQ(run->job.workloads[1].operation, FileOperation::getattr);
}

TEST(FileJobOfRun, SharesAreGivenOrDivideTheRest) {
  const std::string fwds =
      "fwd=fwd1,fsd=fsd*,skew=60\nfwd=fwd2,fsd=fsd1,operation=write\nfwd=fwd3,fsd=fsd2\n";
  const auto run = made(planned(kTwo + fwds + "rd=rd1,fwd=fwd*,fwdrate=200\n"), 0);
  ASSERT_TRUE(run) << run.error().what;
  ASSERT_EQ(run->job.workloads.size(), 4U);
  EXPECT_DOUBLE_EQ(run->job.workloads[0].share, 30);
  EXPECT_DOUBLE_EQ(run->job.workloads[2].share, 20);
  EXPECT_EQ(run->job.rate, 200);
  EXPECT_FALSE(made(planned(kTwo + fwds + "rd=rd1,fwd=fwd1,fwdrate=200\n"), 0));
}

TEST(FileJobOfRun, LoopsChangeTreesThreadsAndTransfers) {
  const Plan plan = planned(kTwo +
                            "fwd=fwd1,fsd=fsd1,fileio=random,fileselect=random\n"
                            "rd=rd1,fwd=fwd1,fwdrate=max,format=yes,fordepth=(2,3),forthreads=4,"
                            "forxfersize=8k,forrdpct=30,forsizes=16k\n");
  ASSERT_EQ(plan.runs.size(), 4U);
  const auto format = made(plan, 2);
  ASSERT_TRUE(format) << format.error().what;
  EXPECT_TRUE(format->job.format.wanted);
  EXPECT_EQ(format->job.anchors[0].depth, 3);
  EXPECT_EQ(format->job.anchors[0].sizes, std::vector<double>{16384});
  EXPECT_EQ(format->job.workloads[0].threads, 8U);
  EXPECT_EQ(format->job.workloads[0].xfersizes, std::vector<double>{131072});
  const auto run = made(plan, 3);
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_EQ(run->job.anchors[0].depth, 3);
  EXPECT_EQ(run->job.workloads[0].threads, 4U);
  EXPECT_EQ(run->job.workloads[0].xfersizes, std::vector<double>{8192});
  EXPECT_EQ(run->job.workloads[0].read_percent, 30);
}

TEST(FileJobOfRun, AFormatTakesTheThreadsOfFwdFormatForEachAnchor) {
  const Plan plan = planned(kTwo +
                            "fwd=format,threads=5,xfersize=64k,openflags=fsync\n"
                            "fwd=fwd1,fsd=fsd*\nrd=rd1,fwd=fwd1,fwdrate=max,format=restart\n");
  const auto run = made(plan, 0);
  ASSERT_TRUE(run) << run.error().what;
  ASSERT_EQ(run->job.workloads.size(), 2U);
  EXPECT_TRUE(run->job.format.restart);
  EXPECT_EQ(run->job.slots(), 10U);
  EXPECT_TRUE(run->job.workloads[1].sync_at_close);
  EXPECT_EQ(run->job.workloads[1].xfersizes, std::vector<double>{65536});
}

TEST(FileJobOfRun, ACurveTakesPercentagesOfTheMeasuredMaximum) {
  const Plan plan = planned(kTwo + "fwd=fwd1,fsd=fsd1\nrd=rd1,fwd=fwd1,fwdrate=curve\n");
  ASSERT_EQ(plan.runs.size(), 7U);
  EXPECT_EQ(made(plan, 0)->job.rate, 0);
  EXPECT_EQ(made(plan, 1, 12'345)->job.rate, 1300);
}

TEST(FileJobOfRun, CopyingNeedsATarget) {
  const std::string run = "rd=rd1,fwd=fwd1,fwdrate=max\n";
  EXPECT_FALSE(made(planned(kTwo + "fwd=fwd1,fsd=fsd1,operation=copy\n" + run), 0));
  const auto good = made(planned(kTwo + "fwd=fwd1,fsd=fsd1,operation=copy,target=fsd2\n" + run), 0);
  ASSERT_TRUE(good) << good.error().what;
  EXPECT_EQ(good->job.anchors[static_cast<std::size_t>(good->job.workloads[0].target)].path, "/b");
}

}  // namespace
}  // namespace stallproof
