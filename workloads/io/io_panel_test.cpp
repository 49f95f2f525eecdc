// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_panel.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(IoPanel, BucketsAreVdbenchs) {
  for (std::size_t i = 0; i < kResponseEdgesUs.size(); ++i) {
    EXPECT_EQ(response_bucket(kResponseEdgesUs[i] * 1000 - 1), i);
    EXPECT_EQ(response_bucket(kResponseEdgesUs[i] * 1000), i + 1);
  }
  EXPECT_EQ(response_bucket(0), 0U);
  EXPECT_EQ(response_bucket(3600 * kSecond), kResponseBuckets - 1);
}

TEST(IoPanel, TotalsAddUpOverSlotsAndTheLongestIsOfItsInterval) {
  auto panel = IoPanel::create(4, 2);
  ASSERT_TRUE(panel);
  panel->cell(0, 1).read.record(1'000'000, 4096, 7);
  panel->cell(1, 1).read.record(3'000'000, 4096, 7);
  panel->cell(1, 1).write.record(2'000'000, 8192, 7);
  panel->cell(1, 0).read.record(9'000'000, 4096, 7);  // another stream
  panel->cell(3, 1).read.record(9'000'000, 4096, 7);  // another file's slot
  const IoTotals totals = panel->totals(1, 0, 3, 7);
  EXPECT_EQ(totals.read.count, 2U);
  EXPECT_EQ(totals.read.bytes, 8192U);
  EXPECT_DOUBLE_EQ(totals.read.response_us, 4000);
  EXPECT_DOUBLE_EQ(totals.read.response_us_squared, 10'000'000);
  EXPECT_DOUBLE_EQ(totals.read.max_us, 3000);
  EXPECT_EQ(totals.write.count, 1U);
  EXPECT_DOUBLE_EQ(panel->totals(1, 0, 3, 8).read.max_us, 0);
  // Four intervals later the same word is used anew.
  panel->cell(0, 1).read.record(5'000, 4096, 11);
  EXPECT_DOUBLE_EQ(panel->totals(1, 0, 1, 11).read.max_us, 5);
}

TEST(IoPanel, FaultsComeOnceAndInOrder) {
  auto panel = IoPanel::create(1, 1);
  ASSERT_TRUE(panel);
  std::uint64_t next = 0;
  EXPECT_TRUE(panel->faults_since(next).empty());
  panel->note_fault({.offset = 1, .error = EIO});
  panel->note_fault({.offset = 2, .error = kShortTransfer, .write = true});
  const auto found = panel->faults_since(next);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].error, EIO);
  EXPECT_EQ(found[1].offset, 2U);
  EXPECT_TRUE(found[1].write);
  EXPECT_TRUE(panel->faults_since(next).empty());
  EXPECT_EQ(panel->header().faults.ever(), 2U);
}

TEST(IoPanel, MoreFaultsThanItHoldsLoseTheOldest) {
  auto panel = IoPanel::create(1, 1);
  ASSERT_TRUE(panel);
  for (std::uint64_t i = 0; i < kErrorRing + 10; ++i) panel->note_fault({.offset = i});
  std::uint64_t next = 0;
  const auto found = panel->faults_since(next);
  ASSERT_EQ(found.size(), kErrorRing);
  EXPECT_EQ(found.front().offset, 10U);
}

TEST(IoPanel, WhatIsNotAPanelIsRefused) {
  auto memory = IoPanel::create(1, 1);
  ASSERT_TRUE(memory);
  EXPECT_TRUE(IoPanel::attach(memory->fd()));
  memory->header().magic = 1;
  EXPECT_FALSE(IoPanel::attach(memory->fd()));
  EXPECT_FALSE(IoPanel::attach(-1));
}

}  // namespace
}  // namespace stallproof
