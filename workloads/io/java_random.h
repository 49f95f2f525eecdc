// SPDX-License-Identifier: Apache-2.0
// The generator that the documentation of java.util.Random prescribes (a 48-bit linear congruence).
// vdbench draws file sizes, sets of SDs and what it writes from it with seed 0: the same draw gives
// the same plan and the same data.
#pragma once

#include <cstdint>

namespace stallproof {

class JavaRandom {
 public:
  explicit JavaRandom(std::uint64_t seed) : state_((seed ^ kMultiplier) & kMask) {}

  // 0 … bound-1; bound > 0.
  std::int32_t below(std::int32_t bound) {
    if ((bound & -bound) == bound)
      return static_cast<std::int32_t>((static_cast<std::int64_t>(bound) * next(31)) >> 31);
    for (;;) {
      const std::int64_t bits = next(31);
      const std::int64_t value = bits % bound;
      // What would make small values likelier is drawn again.
      if (bits - value + (bound - 1) <= INT32_MAX) return static_cast<std::int32_t>(value);
    }
  }

  // In [0, 1), 53 bits of it.
  double unit() {
    const std::int64_t high = next(26);
    return static_cast<double>((high << 27U) + next(27)) * 0x1p-53;
  }

 private:
  static constexpr std::uint64_t kMultiplier = 0x5DEECE66DULL, kMask = (1ULL << 48U) - 1;

  // At most 32.
  std::int64_t next(unsigned bits) {
    state_ = (state_ * kMultiplier + 0xBU) & kMask;
    return static_cast<std::int64_t>(state_ >> (48U - bits));
  }

  std::uint64_t state_;
};

}  // namespace stallproof
