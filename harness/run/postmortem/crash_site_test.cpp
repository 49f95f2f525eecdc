// SPDX-License-Identifier: Apache-2.0
#include "harness/run/postmortem/crash_site.h"

#include "harness/run/postmortem/dead_node_fixture.h"
#include "harness/run/postmortem/kernel_log_left.h"

namespace stallproof {
namespace {

class CrashSiteTest : public DeadNodeFixture {
 protected:
  [[nodiscard]] FoundCrash crash() const { return crash_of(run_, find_crash_sites(root_)); }
  void SetUp() override {
    DeadNodeFixture::SetUp();
    run_.id = "20261126-101500.000-soak-17";
    run_.boot_id = kDeadBoot;
    run_.last_sign_ns = 1000 * std::int64_t{kSecond};
  }
  UnfinishedRun run_;
};

TEST_F(CrashSiteTest, DebianLayoutIsTiedByTheRunsLine) {
  put("var/crash/202611261021/dump.202611261021", "x", 1100);
  put("var/crash/202611261021/dmesg.202611261021", line_of(run_.id, kDeadBoot), 1100);
  put("var/crash/kexec_cmd", "kexec -p", 1100);
  const FoundCrash found = crash();
  EXPECT_EQ(found.by, TiedBy::run_line);
  EXPECT_TRUE(found.site.dump.ends_with("/dump.202611261021"));
  EXPECT_TRUE(found.site.log_file.ends_with("/dmesg.202611261021"));
}

TEST_F(CrashSiteTest, RhelLayoutIsTiedByTheRunsLine) {
  const std::string folder = "var/crash/127.0.0.1-2026-11-26-10:21:07/";
  put(folder + "vmcore", "x", 1100);
  put(folder + "vmcore-dmesg.txt", "[  1.0] boot\n" + line_of(run_.id, kDeadBoot), 1100);
  put(folder + "kexec-dmesg.log", "the crash kernel's own", 1100);
  const FoundCrash found = crash();
  EXPECT_EQ(found.by, TiedBy::run_line);
  EXPECT_TRUE(found.site.dump.ends_with("/vmcore"));
}

TEST_F(CrashSiteTest, ConfiguredPlaceIsSearched) {
  put("etc/kdump.conf", "path /data/crash\n", 1);
  put("data/crash/127.0.0.1-2026-11-26-10:21:07/vmcore", "x", 1100);
  EXPECT_EQ(crash().by, TiedBy::time);
}

TEST_F(CrashSiteTest, IncompleteDumpIsKnownAsOne) {
  put("var/crash/202611261021/dump-incomplete", "x", 1100);
  put("var/crash/202611261021/dmesg.202611261021", line_of(run_.id, kDeadBoot), 1100);
  const FoundCrash found = crash();
  EXPECT_EQ(found.by, TiedBy::run_line);
  EXPECT_EQ(found.site.dump, "");
  EXPECT_TRUE(found.site.incomplete.ends_with("/dump-incomplete"));
}

TEST_F(CrashSiteTest, AnotherRunOfTheSameBootTiesIt) {
  put("var/crash/1/vmcore-dmesg.txt", line_of("20261126-090000.000-other-9", kDeadBoot), 1100);
  EXPECT_EQ(crash().by, TiedBy::boot_line);
}

TEST_F(CrashSiteTest, ACrashOfAnotherBootIsNotTheRuns) {
  put("var/crash/1/vmcore", "x", 1100);
  put("var/crash/1/vmcore-dmesg.txt", line_of("20261127-090000.000-later-9", kLiveBoot), 1100);
  EXPECT_EQ(crash().by, TiedBy::nothing);
}

TEST_F(CrashSiteTest, ARunWhoseNameBeginsLikeAnothersIsNotTakenForIt) {
  put("var/crash/1/vmcore-dmesg.txt", line_of(run_.id + "5", kLiveBoot), 1100);
  EXPECT_EQ(crash().by, TiedBy::nothing);
}

TEST_F(CrashSiteTest, ByTimeTheFirstAfterTheLastSignOfLife) {
  put("var/crash/before/vmcore", "x", 500);
  put("var/crash/first/vmcore", "x", 1100);
  put("var/crash/later/vmcore", "x", 9000);
  const FoundCrash found = crash();
  EXPECT_EQ(found.by, TiedBy::time);
  EXPECT_TRUE(found.site.directory.ends_with("/first"));
}

TEST_F(CrashSiteTest, ALineGoesBeforeATime) {
  put("var/crash/first/vmcore", "x", 1100);
  put("var/crash/second/vmcore", "x", 1200);
  put("var/crash/second/vmcore-dmesg.txt", line_of(run_.id, kDeadBoot), 1200);
  EXPECT_TRUE(crash().site.directory.ends_with("/second"));
}

TEST_F(CrashSiteTest, EmptyMachineHasNone) { EXPECT_EQ(crash().by, TiedBy::nothing); }

TEST_F(CrashSiteTest, PstoreRecordsAreJoinedOldestLineFirst) {
  const std::string folder = "var/lib/systemd/pstore/1764152467/";
  put(folder + "dmesg-efi-1", "Panic#1 Part1\nthe end\n", 1100);
  put(folder + "dmesg-efi-2", "Panic#1 Part2\n" + line_of(run_.id, kDeadBoot), 1100);
  const KernelLogLeft left = pstore_of(run_, root_);
  EXPECT_EQ(left.by, TiedBy::run_line);
  EXPECT_LT(left.text.find("Part2"), left.text.find("the end"));
}

TEST_F(CrashSiteTest, JournalOfABootThatIsNoneIsNotAsked) {
  run_.boot_id = "not; a boot";
  EXPECT_EQ(journal_of(run_, root_, Deadline::in(kSecond)).by, TiedBy::nothing);
}

}  // namespace
}  // namespace stallproof
