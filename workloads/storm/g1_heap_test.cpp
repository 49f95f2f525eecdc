// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/g1_heap.h"

#include <gtest/gtest.h>

#include <set>

namespace stallproof {
namespace {

TEST(G1Heap, CommitsAndUncommitsAlikeMostlySinglePages) {
  auto heap = G1Heap::reserve();
  ASSERT_TRUE(heap);
  Prng prng(3);
  constexpr int kCalls = 100'000;
  int commits = 0, uncommits = 0, pages = 0, protects = 0, discards = 0;
  std::set<std::size_t> sizes;
  for (int made = 0; made < kCalls; ++made) {
    const MemoryCall call = heap->next(prng);
    if (call.op == Op::mprotect) ++protects;
    if (call.op == Op::madvise) ++discards;
    if (call.op != Op::mmap) continue;
    ++((call.protection == PROT_NONE) ? uncommits : commits);
    if (call.bytes == kPageBytes) ++pages;
    sizes.insert(call.bytes);
  }
  EXPECT_NEAR(commits, uncommits, 0.02 * kCalls);
  EXPECT_NEAR(pages, 0.93 * kCalls, 0.01 * kCalls);
  EXPECT_NEAR(protects, 0.028 * kCalls, 0.01 * kCalls);
  EXPECT_GT(discards, 0);
  EXPECT_LT(discards, 0.01 * kCalls);
  EXPECT_EQ(*sizes.rbegin(), 2 * kMiB);
}

TEST(G1Heap, EveryCallSucceeds) {
  auto heap = G1Heap::reserve();
  ASSERT_TRUE(heap);
  Prng prng(5);
  for (int made = 0; made < 10'000; ++made) ASSERT_EQ(perform(heap->next(prng)), 0) << made;
}

}  // namespace
}  // namespace stallproof
