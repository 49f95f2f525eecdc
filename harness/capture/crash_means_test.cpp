// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/crash_means.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

CrashMeans armed() {
  return {.root = true,
          .trigger = true,
          .crash_kernel = "1",
          .crash_memory = {},
          .dump_place = "/var/crash",
          .dump_free = 4096 * kMiB,
          .dump_needed = 300 * kMiB,
          .evidence_free = 4096 * kMiB};
}

TEST(CrashMeans, NothingLacksWhereKdumpIsArmedAndThereIsRoom) {
  EXPECT_EQ(lacking_for_crash(armed()).what, "");
}

TEST(CrashMeans, EachLackIsSaidAndOnlyTheUsersOwnIsHisToMend) {
  CrashMeans means = armed();
  means.root = false;
  EXPECT_NE(lacking_for_crash(means).what.find("root"), std::string::npos);
  EXPECT_TRUE(lacking_for_crash(means).user_can_mend);
  means = armed();
  means.trigger = false;
  EXPECT_NE(lacking_for_crash(means).what.find("no sysrq"), std::string::npos);
  EXPECT_FALSE(lacking_for_crash(means).user_can_mend);
  means = armed();
  means.crash_kernel = "0";
  EXPECT_NE(lacking_for_crash(means).what.find("no crash kernel is loaded"), std::string::npos);
  means.crash_kernel = "";
  EXPECT_NE(lacking_for_crash(means).what.find("no kexec"), std::string::npos);
}

TEST(CrashMeans, SmallCrashKernelIsDoubtedAndNotRefused) {
  CrashMeans means = armed();
  EXPECT_EQ(doubt_of_crash_kernel(means), "");
  means.crash_memory = 96 * kMiB;
  EXPECT_EQ(doubt_of_crash_kernel(means), "");
  means.crash_memory = 80 * kMiB;
  EXPECT_NE(doubt_of_crash_kernel(means).find("only 80 MiB"), std::string::npos);
  EXPECT_EQ(lacking_for_crash(means).what, "");
}

TEST(CrashMeans, RoomIsCheckedWhereItIsKnown) {
  CrashMeans means = armed();
  means.dump_free = 200 * kMiB;
  EXPECT_NE(lacking_for_crash(means).what.find("200 MiB free, the vmcore may need 300 MiB"),
            std::string::npos);
  means.dump_free.reset();
  EXPECT_EQ(lacking_for_crash(means).what, "");
  means.evidence_free = kMiB;
  EXPECT_NE(lacking_for_crash(means).what.find("only 1 MiB"), std::string::npos);
}

TEST(CrashMeans, KdumpsOwnFilesSayWhereItWrites) {
  EXPECT_EQ(dump_directory("", ""), "");
  EXPECT_EQ(dump_directory("core_collector makedumpfile -l\n#path /x\n", ""), "/var/crash");
  EXPECT_EQ(dump_directory("path /data/crash\n", ""), "/data/crash");
  EXPECT_EQ(dump_directory("nfs host:/crash\npath /data\n", ""), "");
  EXPECT_EQ(dump_directory("", "USE_KDUMP=1\n#KDUMP_COREDIR=\"/x\"\n"), "/var/crash");
  EXPECT_EQ(dump_directory("", "KDUMP_COREDIR=\"/srv/crash\"\n"), "/srv/crash");
  EXPECT_EQ(dump_directory("", "SSH=\"root@host\"\n"), "");
}

TEST(CrashMeans, OnlyTheKernelsOwnMemoryIsDumped) {
  const auto bytes = dump_estimate(
      "MemTotal:        1000000 kB\nMemFree:          300000 kB\nBuffers:           20000 kB\n"
      "Cached:           100000 kB\nAnonPages:        200000 kB\nHugePages_Total:      50\n"
      "Hugepagesize:       2048 kB\n");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, (1000000ULL - 620000 - 102400) * 1024);
  EXPECT_FALSE(dump_estimate(""));
  EXPECT_EQ(dump_estimate("MemTotal: 10 kB\nMemFree: 20 kB\n"), 0U);
}

}  // namespace
}  // namespace stallproof
