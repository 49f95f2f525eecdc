// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/raw_job.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace stallproof {
namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;

// A plan with every lun of 100 MB, and the jobs of its runs.
class RawJob : public ::testing::Test {
 protected:
  Result<RawRun> run_of(const std::string& text, std::size_t run = 0, double maximum = 0) {
    char name[] = "/tmp/stallproof-job-XXXXXX";
    ::close(::mkstemp(name));
    std::ofstream(name) << text;
    auto plan = plan_parameter_files({name}, {}, {});
    std::remove(name);
    if (!plan) return Failure(plan.error());
    plan_ = std::move(*plan);
    luns_.resize(plan_.set.sds.size(), Lun{"/lun", 100 * kMegabyte, device_});
    slots_.resize(plan_.set.sds.size());
    return raw_run_of({.set = plan_.set,
                       .run = plan_.runs.at(run),
                       .luns = luns_,
                       .first_slots = slots_,
                       .measured_maximum = maximum});
  }

  Plan plan_;
  std::vector<Lun> luns_;
  std::vector<std::uint32_t> slots_;
  bool device_ = false;
};

const std::string kTwo = "sd=sd1,lun=/a,threads=3\nsd=sd2,lun=/b,openflags=o_direct\n";

TEST_F(RawJob, EveryWorkloadHasAStreamOnEachOfItsSds) {
  const auto run = run_of(kTwo +
                          "wd=wd1,sd=(sd1,sd2),xfersize=8k,rdpct=60\nwd=wd2,sd=sd2,seekpct=0\n"
                          "rd=rd1,wd=wd*,iorate=max\n");
  ASSERT_TRUE(run) << run.error().what;
  ASSERT_EQ(run->job.streams.size(), 3U);
  ASSERT_EQ(run->job.files.size(), 2U);
  EXPECT_EQ(run->job.files[0].threads, 3U);
  EXPECT_EQ(run->job.files[1].threads, 8U);
  EXPECT_EQ(run->job.files[1].open_flags, O_DIRECT);
  EXPECT_EQ(run->job.streams[2].file, 1U);
  EXPECT_EQ(run->job.streams[2].workload, 1U);
  EXPECT_EQ(run->job.streams[0].high, 100 * kMegabyte);
  EXPECT_FALSE(run->job.files[0].read_only);
  EXPECT_FALSE(run->job.paced());  // max and nobody has a share
}

TEST_F(RawJob, OnlyReadersOpenReadOnly) {
  const auto run = run_of(kTwo + "wd=wd1,sd=sd1\nrd=rd1,wd=wd1,iorate=max,forrdpct=(100,50)\n");
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->job.files[0].read_only);
  EXPECT_FALSE(run_of(kTwo + "wd=wd1,sd=sd1\nrd=rd1,wd=wd1,iorate=max,forrdpct=(100,50)\n", 1)
                   ->job.files[0]
                   .read_only);
}

TEST_F(RawJob, SharesOfTheRateFollowSkewAndAreDividedAmongSds) {
  const auto run = run_of(kTwo +
                          "wd=wd1,sd=(sd1,sd2),skew=60\nwd=wd2,sd=sd1\nwd=wd3,sd=sd2\n"
                          "rd=rd1,wd=wd*,iorate=1000\n");
  ASSERT_TRUE(run);
  std::vector<double> rates;
  for (const JobStream& stream : run->job.streams) rates.push_back(stream.rate);
  EXPECT_EQ(rates, (std::vector<double>{300, 300, 200, 200}));
}

TEST_F(RawJob, SkewMakesMaxAScheduleOfItsOwn) {
  const auto run = run_of(kTwo +
                          "wd=wd1,sd=sd1,skew=75\nwd=wd2,sd=sd2,skew=25\n"
                          "rd=rd1,wd=wd*,iorate=max\n");
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->job.paced());
  EXPECT_DOUBLE_EQ(run->job.streams[0].rate / run->job.streams[1].rate, 3);
}

TEST_F(RawJob, EachRateOfAListIsItsOwnRun) {
  const std::string text = kTwo + "wd=wd1,sd=sd1\nrd=rd1,wd=wd1,iorate=(100,max)\n";
  EXPECT_DOUBLE_EQ(run_of(text, 0)->rate, 100);
  EXPECT_DOUBLE_EQ(run_of(text, 1)->rate, kMaxRate);
}

TEST_F(RawJob, PointsOfACurveArePercentagesOfWhatWasMeasured) {
  const std::string text = kTwo + "wd=wd1,sd=sd1\nrd=rd1,wd=wd1,iorate=curve,curve=(10,50)\n";
  EXPECT_DOUBLE_EQ(run_of(text, 0)->rate, kMaxRate);
  EXPECT_DOUBLE_EQ(run_of(text, 1, 12'345)->rate, 1300);  // rounded up to 100
  EXPECT_DOUBLE_EQ(run_of(text, 2, 1'111)->rate, 560);    // to 10 up to 1000
}

TEST_F(RawJob, RangesAreInPercentOrBytes) {
  const auto wide = run_of(kTwo + "wd=wd1,sd=sd1,range=(10,20)\nrd=rd1,wd=wd1,iorate=max\n");
  EXPECT_EQ(wide->job.streams[0].low, 10 * kMegabyte);
  EXPECT_EQ(wide->job.streams[0].high, 20 * kMegabyte);
  const auto bytes = run_of(kTwo + "wd=wd1,sd=sd1,range=(1m,2m)\nrd=rd1,wd=wd1,iorate=max\n");
  EXPECT_EQ(bytes->job.streams[0].low, kMegabyte);
  EXPECT_EQ(bytes->job.streams[0].high, 2 * kMegabyte);
  const auto wraps = run_of(kTwo + "wd=wd1,sd=sd1,range=(80,120)\nrd=rd1,wd=wd1,iorate=max\n");
  EXPECT_TRUE(wraps->job.streams[0].wraps);
}

TEST_F(RawJob, HitsHaveTheirAreaInFrontOfTheRest) {
  const auto run = run_of(kTwo + "wd=wd1,sd=sd1,rhpct=50\nrd=rd1,wd=wd1,iorate=max\n");
  EXPECT_EQ(run->job.streams[0].hit_high, kMegabyte);
  EXPECT_EQ(run->job.streams[0].low, kMegabyte);
}

TEST_F(RawJob, TheFirstBlockOfADeviceIsNeverTouched) {
  device_ = true;
  const std::string text =
      kTwo + "wd=wd1,sd=sd1,xfersize=(4k,50,64k,50)\nrd=rd1,wd=wd1,iorate=max\n";
  EXPECT_EQ(run_of(text)->job.streams[0].low, 64U << 10);
  device_ = false;
  luns_.clear();
  EXPECT_EQ(run_of(text)->job.streams[0].low, 0U);
}

TEST_F(RawJob, WhatIsTooSmallIsSaidWithItsPlace) {
  const auto run = run_of(kTwo + "wd=wd1,sd=sd1,xfersize=64m\nrd=rd1,wd=wd1,iorate=max\n");
  ASSERT_FALSE(run);
  EXPECT_NE(run.error().what.find(":4:"), std::string::npos) << run.error().what;
  EXPECT_NE(run.error().what.find("too small"), std::string::npos) << run.error().what;
  EXPECT_FALSE(run_of(kTwo + "wd=wd1,sd=sd1,range=(20,10)\nrd=rd1,wd=wd1,iorate=max\n"));
}

TEST_F(RawJob, LoopsOverrideTheirWorkload) {
  const std::string text =
      kTwo + "wd=wd1,sd=sd1\nrd=rd1,wd=wd1,iorate=max,forxfersize=(4k,1m),forthreads=(1,16)\n";
  const auto run = run_of(text, 3);
  EXPECT_EQ(run->job.streams[0].xfersizes, std::vector<double>{1 << 20});
  EXPECT_EQ(run->job.files[0].threads, 16U);
}

TEST_F(RawJob, FilesThatAreTooShortAreWrittenFirst) {
  ASSERT_TRUE(
      run_of("sd=sd1,lun=/a,size=200m\nsd=sd2,lun=/b,size=50m\nwd=wd1,sd=*\n"
             "rd=rd1,wd=wd1,iorate=max\n"));
  const auto format = format_run_of(plan_.set, luns_, slots_, {true, true});
  ASSERT_TRUE(format);
  ASSERT_TRUE(*format);
  ASSERT_EQ((*format)->job.files.size(), 1U);
  EXPECT_EQ((*format)->job.files[0].threads, kFormatThreads);
  EXPECT_EQ((*format)->job.streams[0].low, 100 * kMegabyte);  // goes on where the file ends
  EXPECT_EQ((*format)->job.streams[0].high, 200 * kMegabyte);
  EXPECT_TRUE((*format)->job.streams[0].stop_at_end);
  EXPECT_FALSE(*format_run_of(plan_.set, luns_, slots_, {false, true}));
}

TEST_F(RawJob, LimitsOfDataBelowAHundredAreTimesAllSds) {
  EXPECT_DOUBLE_EQ(run_of(kTwo + "wd=wd1,sd=*\nrd=rd1,wd=wd1,iorate=max,maxdata=2\n")->max_bytes,
                   2 * 200.0 * kMegabyte);
  EXPECT_DOUBLE_EQ(run_of(kTwo + "wd=wd1,sd=*\nrd=rd1,wd=wd1,iorate=max,maxdata=1g\n")->max_bytes,
                   1024.0 * kMegabyte);
}

TEST_F(RawJob, WhatIsPlannedAndNotMadeIsNamed) {
  ASSERT_TRUE(run_of(kTwo + "wd=wd1,sd=sd1\nrd=rd1,wd=wd1,iorate=max\n"));
  EXPECT_TRUE(not_executed(plan_).empty());
  ASSERT_TRUE(run_of(kTwo + "wd=wd1,sd=sd1,priority=1\nrd=rd1,wd=wd1,iorate=max\n"));
  EXPECT_EQ(not_executed(plan_), Names{"priority"});
}

}  // namespace
}  // namespace stallproof
