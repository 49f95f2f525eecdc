// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/file_sizes.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace stallproof {
namespace {

constexpr std::int32_t kKilo = 1024, kMega = 1024 * kKilo;

// Half the average to one and a half of it, rounded to a grain that grows with it. In KiB.
std::uint32_t drawn_around(JavaRandom& random, std::int32_t average) {
  const float drawn = static_cast<float>(random.below(average) + average / 2);
  const std::int32_t grain = drawn >= 10 * kMega      ? kMega
                             : average >= kMega       ? 100 * kKilo
                             : average >= 100 * kKilo ? 10 * kKilo
                                                      : kKilo;
  const float grains = std::floor(drawn / static_cast<float>(grain) + 0.5F);
  return static_cast<std::uint32_t>(grains) * static_cast<std::uint32_t>(grain / kKilo);
}

// The place of the size among the pairs.
std::uint32_t drawn_by_share(JavaRandom& random, const std::vector<double>& sizes) {
  const double draw = random.below(100);
  double total = 0;
  for (std::size_t i = 0; i + 1 < sizes.size(); i += 2) {
    total += sizes[i + 1];
    if (draw < total) return static_cast<std::uint32_t>(i);
  }
  return static_cast<std::uint32_t>(sizes.size() - 2);
}

}  // namespace

FileSizes::FileSizes(const std::vector<double>& sizes)
    : sizes_(sizes.empty() ? std::vector<double>{0} : sizes), kind_(Kind::shares) {
  if (sizes_.size() == 1) kind_ = Kind::equal;
  if (sizes_.size() != 2 || sizes_[1] != 0) return;
  kind_ = Kind::around;
  constexpr double kMost = std::numeric_limits<std::int32_t>::max() / 2;
  average_ = static_cast<std::int32_t>(std::clamp(sizes_[0], 0.0, kMost));
}

std::uint32_t FileSizes::next() {
  if (kind_ == Kind::equal || (kind_ == Kind::around && average_ < 1)) return 0;
  return kind_ == Kind::around ? drawn_around(random_, average_) : drawn_by_share(random_, sizes_);
}

std::uint64_t FileSizes::size_of(std::uint32_t drawn) const {
  if (kind_ == Kind::around) return std::uint64_t{drawn} * kKilo;
  return static_cast<std::uint64_t>(std::max(0.0, sizes_[kind_ == Kind::equal ? 0 : drawn]));
}

}  // namespace stallproof
