// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/device_inflight.h"

#include <gtest/gtest.h>

#include "harness/detect/view_builder.h"

namespace stallproof {
namespace {

class Disks {
 public:
  Disks() : evidence_(*Evidence::create()) {
    evidence_.area().disk_names[0].bytes = {"vdb"};
    evidence_.area().disk_count.store(1);
    build.view.names = &evidence_.area();
  }
  FindingList look(Nanos now, std::uint64_t completed, std::uint64_t in_flight) {
    build.at(now).view.system.at_ns = now;
    build.view.system.disks[0] = {.completed = completed, .in_flight = in_flight};
    FindingList found;
    detector.check(build.view, found);
    return found;
  }
  ViewBuilder build;
  DeviceInflight detector{Thresholds{}};

 private:
  Evidence evidence_;
};

TEST(DeviceInflight, BusyDiskThatEndsNothingForStallAfterIsFound) {
  Disks disks;
  EXPECT_TRUE(disks.look(1 * kSecond, 100, 3).items().empty());
  EXPECT_TRUE(disks.look(1500 * kMillisecond, 100, 3).items().empty());
  const FindingList found = disks.look(2 * kSecond, 100, 4);
  ASSERT_EQ(count_of(found, FindingKind::device_inflight), 1U);
  EXPECT_EQ(found.items()[0].since_ns, 1 * kSecond);
  EXPECT_EQ(found.items()[0].count, 4U);
  EXPECT_STREQ(found.items()[0].subject.data(), "vdb");
  EXPECT_FALSE(found.items()[0].opens);
}

TEST(DeviceInflight, TicksBetweenTwoLooksJudgeTheSameRow) {
  Disks disks;
  disks.look(1 * kSecond, 100, 3);
  disks.build.at(5 * kSecond);
  FindingList found;
  disks.detector.check(disks.build.view, found);
  EXPECT_TRUE(found.items().empty());  // nobody has looked since
}

TEST(DeviceInflight, SlowIdleAndHealthyDisksAreQuiet) {
  Disks slow, idle;
  for (std::uint64_t i = 1; i < 20; ++i) {
    EXPECT_TRUE(slow.look(i * kSecond / 2, i, 8).items().empty());
    EXPECT_TRUE(idle.look(i * kSecond / 2, 5, 0).items().empty());
  }
}

TEST(DeviceInflight, NothingIsSaidAfterAGap) {
  Disks disks;
  disks.look(1 * kSecond, 100, 3);
  disks.build.view.after_gap = true;
  EXPECT_TRUE(disks.look(9 * kSecond, 100, 3).items().empty());
}

}  // namespace
}  // namespace stallproof
