// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/task_status.h"

#include <gtest/gtest.h>

#include "harness/base/file.h"

namespace stallproof {
namespace {

TEST(TaskStatus, FieldsOfABlockedThreadAreRead) {
  const auto status = parse_task_status(
      "Name:\tfio: a\\\\b\\nc\nUmask:\t0022\nState:\tD (disk sleep)\nTgid:\t100\nNgid:\t0\n"
      "Pid:\t107\nVmSize:\t   1000 kB\nvoluntary_ctxt_switches:\t40\n"
      "nonvoluntary_ctxt_switches:\t2\n");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->name, "fio: a\\b\nc");
  EXPECT_EQ(status->state, 'D');
  EXPECT_EQ(status->tgid, 100);
  EXPECT_EQ(status->tid, 107);
  EXPECT_EQ(status->switches, 42U);
  EXPECT_TRUE(status->has_memory);
}

TEST(TaskStatus, KernelThreadHasNoMemory) {
  const auto status =
      parse_task_status("Name:\tkworker/0:1\nState:\tI (idle)\nTgid:\t9\nPid:\t9\n");
  ASSERT_TRUE(status);
  EXPECT_FALSE(status->has_memory);
}

TEST(TaskStatus, HalfAFileIsNoStatus) {
  EXPECT_FALSE(parse_task_status(""));
  EXPECT_FALSE(parse_task_status("Name:\tx\nState:\tD\nTgid:\t1\n"));
}

TEST(TaskStatus, OwnStatusIsUnderstood) {
  const auto text = read_file("/proc/self/status");
  ASSERT_TRUE(text);
  const auto status = parse_task_status(*text);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state, 'R');
  EXPECT_TRUE(status->has_memory);
}

}  // namespace
}  // namespace stallproof
