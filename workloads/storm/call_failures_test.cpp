// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/call_failures.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(CallFailures, TheLineNamesTheCallTheReasonAndWhatToTry) {
  const std::string full = call_failure_line(Op::mmap, ENOMEM).data();
  EXPECT_NE(full.find("mmap: Cannot allocate memory"), std::string::npos) << full;
  EXPECT_NE(full.find("vm.max_map_count"), std::string::npos) << full;
  const std::string born = call_failure_line(Op::thread_start, EAGAIN).data();
  EXPECT_NE(born.find("threads-max"), std::string::npos) << born;
}

TEST(CallFailures, EachKindIsToldOnce) {
  CallFailures failures;
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    failures.tell(Op::mprotect, ENOMEM);
    failures.tell(Op::thread_start, EAGAIN);
  }
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 2) << told;
}

}  // namespace
}  // namespace stallproof
