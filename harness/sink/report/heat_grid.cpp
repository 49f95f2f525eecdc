// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/heat_grid.h"

#include <algorithm>
#include <cmath>

namespace stallproof {
namespace {

constexpr std::size_t kClasses = HeatGrid::kHighest - HeatGrid::kLowest + 1;

int class_of(double from_us) {
  if (!(from_us > 0)) return HeatGrid::kLowest;
  int exponent = 0;
  const double mantissa = std::frexp(from_us, &exponent) * 2 - 1;  // 0..1 within the power of two
  const int part = static_cast<int>(mantissa * HeatGrid::kPerOctave);
  return std::clamp((exponent - 1) * HeatGrid::kPerOctave + part, HeatGrid::kLowest,
                    HeatGrid::kHighest);
}

std::size_t index_of(std::size_t column, int latency_class) {
  return column * kClasses + static_cast<std::size_t>(latency_class - HeatGrid::kLowest);
}

}  // namespace

void HeatGrid::add(double at_s, double from_us, double count) {
  if (!(at_s >= 0) || !(count > 0) || std::isnan(from_us)) return;
  if (counts_.empty()) counts_.assign(kColumns * kClasses, 0);
  // A row tells of the second that ends at its time.
  const double place = std::max(0.0, at_s - 0.5) / span_s_ * static_cast<double>(kColumns);
  const auto column = static_cast<std::size_t>(std::min(place, kColumns - 1.0));
  const int latency_class = class_of(from_us);
  counts_[index_of(column, latency_class)] += static_cast<float>(count);
  first_ = std::min(first_, latency_class);
  last_ = std::max(last_, latency_class);
}

double HeatGrid::count(std::size_t column, int latency_class) const {
  if (counts_.empty() || column >= kColumns || latency_class < kLowest || latency_class > kHighest)
    return 0;
  return static_cast<double>(counts_[index_of(column, latency_class)]);
}

double HeatGrid::largest() const {
  return counts_.empty() ? 0
                         : static_cast<double>(*std::max_element(counts_.begin(), counts_.end()));
}

double HeatGrid::edge_us(int latency_class) {
  const int octave = static_cast<int>(std::floor(static_cast<double>(latency_class) / kPerOctave));
  const double part = static_cast<double>(latency_class - octave * kPerOctave) / kPerOctave;
  return std::ldexp(1 + part, octave);
}

}  // namespace stallproof
