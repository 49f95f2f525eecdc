// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/jvm_memory.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

namespace stallproof {
namespace {

constexpr int kCalls = 100'000;
constexpr double kOnePercent = 0.01;

using Shares = std::map<std::pair<std::size_t, int>, double>;

// The shares of the mprotect calls of a mix, drawn and not made.
Shares drawn(std::span<const CallShare> mix) {
  auto memory = JvmMemory::reserve();
  EXPECT_TRUE(memory);
  Prng prng(3);
  Shares shares;
  for (int made = 0; made < kCalls;) {
    const MemoryCall call = memory->next(prng, mix);
    if (call.op != Op::mprotect) continue;
    shares[{call.bytes, call.protection}] += 1.0 / kCalls;
    ++made;
  }
  return shares;
}

void expect_shares(Shares shares, std::span<const CallShare> mix) {
  for (const CallShare& share : mix) {
    if (share.bytes == 0) continue;
    EXPECT_NEAR((shares[{share.bytes, share.protection}]), share.per_mille / 1000.0, kOnePercent)
        << share.bytes << " bytes, protection " << share.protection;
  }
}

TEST(JvmMemory, SteadyCallsHaveTheMeasuredShares) {
  const Shares shares = drawn(jvm_steady_mix());
  expect_shares(shares, jvm_steady_mix());
  EXPECT_EQ(shares.size(), jvm_steady_mix().size());
}

TEST(JvmMemory, StartCallsHaveTheMeasuredSharesAndManyLengths) {
  const Shares shares = drawn(jvm_start_mix());
  expect_shares(shares, jvm_start_mix());
  std::set<std::size_t> lengths;
  for (const auto& [call, share] : shares) lengths.insert(call.first);
  EXPECT_GT(lengths.size(), 30U);
}

TEST(JvmMemory, CallsStayInTheArenaAndSucceed) {
  auto memory = JvmMemory::reserve();
  ASSERT_TRUE(memory);
  Prng prng(5);
  int given_back = 0;
  for (int made = 0; made < 10'000; ++made) {
    const MemoryCall call = memory->next(prng, jvm_start_mix());
    ASSERT_EQ(perform(call), 0) << made;
    if (call.op == Op::mmap) ++given_back;
  }
  EXPECT_GT(given_back, 0);
}

TEST(JvmCourse, StartsWithFourHundredCallsInHalfASecond) {
  JvmCourse course(true, 1);
  Prng prng(1);
  Nanos last = kSecond;
  int calls = 0;
  for (; course.mix().data() == jvm_start_mix().data(); ++calls) last = course.next_due(last, prng);
  EXPECT_EQ(calls, 400);
  EXPECT_NEAR(static_cast<double>(last - kSecond), 0.5e9, 0.01e9);
}

TEST(JvmCourse, SteadyIsTwoToFourCallsASecondOfAllThreads) {
  for (const unsigned sharers : {1U, 4U}) {
    JvmCourse course(false, sharers);
    Prng prng(1);
    Nanos due = course.next_due(kSecond, prng);
    constexpr int kMany = 1000;
    for (int call = 0; call < kMany; ++call) due = course.next_due(due, prng);
    const double seconds = static_cast<double>(due - kSecond) / 1e9;
    EXPECT_GT(kMany * sharers / seconds, 2.0) << sharers;
    EXPECT_LT(kMany * sharers / seconds, 4.0) << sharers;
  }
}

}  // namespace
}  // namespace stallproof
