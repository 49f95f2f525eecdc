// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/classify_thread.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include "harness/probe/target_proc.h"

namespace stallproof {
namespace {

TargetRecord record(std::uint32_t state, std::int64_t call, std::uint32_t file = TARGET_FILE_NONE) {
  TargetRecord made{};
  made.state = state;
  made.call = call;
  made.file = file;
  return made;
}

TEST(ClassifyThread, UninterruptibleSleepIsAFileSystemWait) {
  EXPECT_EQ(wait_of(record(0x2, SYS_pread64, TARGET_FILE_DATA)), ThreadWait::file_system);
  EXPECT_EQ(wait_of(record(0x102, SYS_mprotect)), ThreadWait::file_system);
  EXPECT_EQ(wait_of(record(0x402, SYS_read)), ThreadWait::excluded);  // TASK_IDLE
}

TEST(ClassifyThread, InterruptibleSleepCountsOnlyInsideACallOnAFile) {
  EXPECT_EQ(wait_of(record(0x1, SYS_read, TARGET_FILE_DATA)), ThreadWait::file_system);
  EXPECT_EQ(wait_of(record(0x1, SYS_newfstatat)), ThreadWait::file_system);
  EXPECT_EQ(wait_of(record(0x1, TARGET_NO_CALL)), ThreadWait::file_system);
  EXPECT_EQ(wait_of(record(0x1, SYS_read, TARGET_FILE_OTHER)), ThreadWait::none);
  EXPECT_EQ(wait_of(record(0x1, SYS_futex)), ThreadWait::none);
  EXPECT_EQ(wait_of(record(0x1, SYS_flock, TARGET_FILE_DATA)), ThreadWait::none);
}

TEST(ClassifyThread, ParentsOfVforkStoppedTracedAndFrozenSayNothing) {
  EXPECT_EQ(wait_of(record(0x2, SYS_vfork)), ThreadWait::excluded);
  EXPECT_EQ(wait_of(record(0x102, SYS_clone)), ThreadWait::excluded);
  EXPECT_EQ(wait_of(record(0x4, SYS_read, TARGET_FILE_DATA)), ThreadWait::excluded);
  EXPECT_EQ(wait_of(record(0x8, SYS_read, TARGET_FILE_DATA)), ThreadWait::excluded);
  EXPECT_EQ(wait_of(record(0x8000, SYS_read, TARGET_FILE_DATA)), ThreadWait::excluded);
  TargetRecord second_version = record(0x1, SYS_read, TARGET_FILE_DATA);
  second_version.jobctl = 1U << 23U;
  EXPECT_EQ(wait_of(second_version), ThreadWait::excluded);
}

TEST(ClassifyThread, WorkersOfRingsHaveNoCallOfTheirOwn) {
  TargetRecord worker = record(0x1, SYS_read, TARGET_FILE_DATA);
  worker.flags = 0x10;
  EXPECT_EQ(wait_of(worker), ThreadWait::none);
  EXPECT_FALSE(does_file_work(worker));
  worker.state = 0x102;
  EXPECT_EQ(wait_of(worker), ThreadWait::file_system);
  EXPECT_EQ(wait_of(record(0x1, SYS_io_getevents)), ThreadWait::ring);
}

TEST(ClassifyThread, RunningThreadIsKnownByItsLastCall) {
  EXPECT_TRUE(does_file_work(record(0, SYS_pwrite64, TARGET_FILE_DATA)));
  EXPECT_FALSE(does_file_work(record(0, SYS_write, TARGET_FILE_OTHER)));
  EXPECT_TRUE(does_other_work(record(0, SYS_write, TARGET_FILE_OTHER)));
  EXPECT_EQ(wait_of(record(0, SYS_pwrite64, TARGET_FILE_DATA)), ThreadWait::none);
}

TEST(ClassifyThread, StatusOfAnyNameIsRead) {
  ThreadSample sample;
  ASSERT_TRUE(parse_thread_status(
      "Name:\ta)\\nState:\tX\nState:\tD (disk sleep)\nTgid:\t7\nvoluntary_ctxt_switches:\t12\n"
      "nonvoluntary_ctxt_switches:\t3\n",
      sample));
  EXPECT_EQ(sample.wait, ThreadWait::file_system);
  EXPECT_EQ(sample.switches, 15U);
  EXPECT_FALSE(parse_thread_status("", sample));
  EXPECT_FALSE(parse_thread_status("Name:\tx\nState:\t", sample));
}

}  // namespace
}  // namespace stallproof
