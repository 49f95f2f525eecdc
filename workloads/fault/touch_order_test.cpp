// SPDX-License-Identifier: Apache-2.0
#include "workloads/fault/touch_order.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace stallproof {
namespace {

std::vector<std::uint64_t> pages_of(TouchOrder& order, unsigned windows) {
  std::vector<std::uint64_t> pages;
  for (unsigned i = 0; i < windows; ++i) {
    order.begin_window();
    for (std::uint64_t touch = 0; touch < order.touches(); ++touch)
      pages.push_back(order.next_page());
  }
  return pages;
}

TEST(TouchOrder, SequentialGoesThroughTheWindowsOfTheThreadAndBegins) {
  TouchOrder order(
      {.first_page = 1, .windows = 4, .window = 2, .threads = 2, .order = PageOrder::sequential}, 1,
      7);
  EXPECT_EQ(pages_of(order, 3), (std::vector<std::uint64_t>{3, 4, 7, 8, 3, 4}));
}

TEST(TouchOrder, RandomTouchesEveryPageOfAWindowOnce) {
  for (const std::uint64_t window : {1U, 2U, 3U, 16U, 100U, 4096U}) {
    TouchOrder order({.windows = 8, .window = window, .threads = 2}, 0, 3);
    for (int round = 0; round < 5; ++round) {
      const std::uint64_t first = order.begin_window();
      EXPECT_EQ(first / window % 2, 0U) << "a window of the other thread";
      ASSERT_EQ(order.touches(), window);
      std::set<std::uint64_t> seen;
      for (std::uint64_t i = 0; i < window; ++i) seen.insert(order.next_page() - first);
      EXPECT_EQ(seen.size(), window);
      EXPECT_EQ(*seen.rbegin(), window - 1);
    }
  }
}

TEST(TouchOrder, StridedTouchesEveryFourthPageAndNoOther) {
  for (const std::uint64_t window : {1U, 8U, 64U}) {
    TouchOrder order(
        {.windows = 64 / window, .window = window, .order = PageOrder::strided, .stride = 4}, 0, 1);
    const auto pages = pages_of(order, static_cast<unsigned>(64 / window) * 4);
    for (std::size_t i = 1; i < 16; ++i) EXPECT_EQ(pages[i] - pages[i - 1], 4U);
    EXPECT_EQ(std::set<std::uint64_t>(pages.begin(), pages.end()).size(), 16U) << window;
  }
}

TEST(TouchOrder, ThreadsNeverShareAWindowUnlessTold) {
  for (const PageOrder kind : {PageOrder::sequential, PageOrder::random, PageOrder::strided}) {
    std::set<std::uint64_t> first;
    TouchOrder one({.windows = 9, .window = 4, .threads = 2, .order = kind, .stride = 2}, 0, 1);
    TouchOrder two({.windows = 9, .window = 4, .threads = 2, .order = kind, .stride = 2}, 1, 2);
    for (const std::uint64_t page : pages_of(one, 50)) first.insert(page);
    for (const std::uint64_t page : pages_of(two, 50)) {
      EXPECT_FALSE(first.contains(page));
      EXPECT_LT(page, 36U);
    }
  }
}

}  // namespace
}  // namespace stallproof
