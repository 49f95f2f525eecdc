// SPDX-License-Identifier: Apache-2.0
#include "harness/board/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "harness/base/prng.h"

namespace stallproof {
namespace {

TEST(Histogram, EveryValueLiesInsideItsBucket) {
  for (Nanos value = 0; value < 4 * 3600 * kSecond; value = value * 17 / 16 + 1) {
    const std::size_t bucket = Histogram::index_of(value);
    ASSERT_LT(bucket, Histogram::kBuckets);
    EXPECT_LE(Histogram::low_edge(bucket), value);
    if (bucket + 1 < Histogram::kBuckets) {
      EXPECT_GT(Histogram::low_edge(bucket + 1), value);
    }
  }
}

TEST(Histogram, ErrorIsAtMostThreePercentFromOneMicrosecondToOneHour) {
  for (Nanos value = 1000; value < 3600 * kSecond; value = value * 33 / 32 + 1) {
    const std::size_t bucket = Histogram::index_of(value);
    ASSERT_LT(bucket + 1, Histogram::kBuckets);
    const auto width =
        static_cast<double>(Histogram::low_edge(bucket + 1) - Histogram::low_edge(bucket));
    EXPECT_LE(width / 2 / static_cast<double>(value), 0.03);
  }
}

TEST(Histogram, QuantilesAgreeWithASortedVector) {
  auto histogram = std::make_unique<Histogram>();
  Prng random(7);
  std::vector<Nanos> values;
  for (int i = 0; i < 20000; ++i) {
    const Nanos value = 1000 + (random.next() >> (24 + random.below(30)));
    values.push_back(value);
    histogram->record(value);
  }
  std::sort(values.begin(), values.end());
  HistogramSum sum;
  sum.add(*histogram);
  ASSERT_EQ(sum.total(), values.size());
  for (const double fraction : {0.0, 0.5, 0.9, 0.99, 0.999}) {
    const auto oracle = static_cast<double>(
        values[static_cast<std::size_t>(fraction * static_cast<double>(values.size()))]);
    EXPECT_NEAR(static_cast<double>(sum.quantile(fraction)), oracle, oracle * 0.032);
  }
}

TEST(Histogram, EmptyHasNoQuantile) { EXPECT_EQ(HistogramSum{}.quantile(0.5), 0U); }

}  // namespace
}  // namespace stallproof
