// SPDX-License-Identifier: Apache-2.0
// How many operations took how long when: a grid of time columns and latency classes, filled row by
// row. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace stallproof {

class HeatGrid {
 public:
  static constexpr std::size_t kColumns = 180;
  static constexpr int kPerOctave = 2;              // classes per power of two
  static constexpr int kLowest = -6 * kPerOctave;   // 2^-6 us; what is faster counts there
  static constexpr int kHighest = 42 * kPerOctave;  // 2^42 us: 51 days

  explicit HeatGrid(double span_s = 1) : span_s_(span_s > 0 ? span_s : 1) {}

  void add(double at_s, double from_us, double count);
  [[nodiscard]] bool empty() const { return counts_.empty(); }
  // Classes that have anything, both ends included. Not of an empty grid.
  [[nodiscard]] int first_class() const { return first_; }
  [[nodiscard]] int last_class() const { return last_; }
  [[nodiscard]] double count(std::size_t column, int latency_class) const;
  [[nodiscard]] double largest() const;
  // Lower edge in microseconds.
  static double edge_us(int latency_class);

 private:
  double span_s_;
  int first_ = kHighest, last_ = kLowest;
  std::vector<float> counts_;  // by column, then class; allocated with the first operation
};

}  // namespace stallproof
