// SPDX-License-Identifier: Apache-2.0
#include "harness/board/evidence.h"

#include <gtest/gtest.h>

#include <string_view>
#include <thread>

namespace stallproof {
namespace {

void write_log(EvidenceArea& area, std::string_view bytes) {
  std::uint64_t at = area.kmsg_written.load(std::memory_order_relaxed);
  for (const char byte : bytes) area.kmsg[at++ % kKmsgBytes] = byte;
  area.kmsg_written.store(at, std::memory_order_release);
}

std::string numbered(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(12 - digits.size(), '0') + digits + " a line of the kernel log\n";
}

// Number of the first and of the last line; both 0 when a line is torn or one is missing.
std::pair<std::uint64_t, std::uint64_t> range_of(std::string_view text) {
  const std::size_t length = numbered(0).size();
  if (text.empty() || text.size() % length != 0) return {0, 0};
  const std::uint64_t first = std::stoull(std::string(text.substr(0, 12)));
  std::uint64_t next = first;
  for (; !text.empty(); text.remove_prefix(length))
    if (text.substr(0, length) != numbered(next++)) return {0, 0};
  return {first, next - 1};
}

TEST(Evidence, KernelLogThatDidNotWrapIsWhole) {
  auto evidence = Evidence::create();
  ASSERT_TRUE(evidence) << evidence.error().what;
  EXPECT_EQ(copy_kernel_log(evidence->area()), "");
  for (std::uint64_t i = 1; i <= 100; ++i) write_log(evidence->area(), numbered(i));
  EXPECT_EQ(range_of(copy_kernel_log(evidence->area())),
            std::make_pair(std::uint64_t{1}, std::uint64_t{100}));
}

TEST(Evidence, KernelLogCopiedWhileItIsOverwrittenHasWholeLinesInOrder) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer does not model the fence that tells a torn copy";
#endif
  auto evidence = Evidence::create();
  ASSERT_TRUE(evidence) << evidence.error().what;
  EvidenceArea& area = evidence->area();
  std::atomic<bool> stop{false};
  std::uint64_t number = 1;
  while (area.kmsg_written.load() < 2 * kKmsgBytes) write_log(area, numbered(number++));
  std::thread writer([&] {
    while (!stop.load()) write_log(area, numbered(number++));
  });
  unsigned torn = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string text = copy_kernel_log(area);
    if (!text.empty() && range_of(text).first == 0) ++torn;
  }
  stop.store(true);
  writer.join();
  EXPECT_EQ(torn, 0U);
  EXPECT_EQ(range_of(copy_kernel_log(area)).second, number - 1);
}

TEST(Evidence, ViewsCopiedWhileTheyAreOverwrittenAreNeverTorn) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer does not model the fence that tells a torn copy";
#endif
  auto evidence = Evidence::create();
  ASSERT_TRUE(evidence) << evidence.error().what;
  EvidenceArea& area = evidence->area();
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint64_t at = 1; !stop.load(); ++at) {
      ViewRow& row = area.views[(at - 1) % kViewRows];
      row.at_ns = at;
      row.ops.fill(at);
      area.view_count.store(at, std::memory_order_release);
    }
  });
  unsigned torn = 0;
  for (int i = 0; i < 200; ++i) {
    std::uint64_t last = 0;
    for (const ViewRow& row : copy_views(area)) {
      if (row.ops.front() != row.at_ns || row.ops.back() != row.at_ns || row.at_ns <= last) ++torn;
      last = row.at_ns;
    }
  }
  stop.store(true);
  writer.join();
  EXPECT_EQ(torn, 0U);
  EXPECT_EQ(copy_views(area).size(), std::min<std::uint64_t>(area.view_count.load(), 600));
}

}  // namespace
}  // namespace stallproof
