// SPDX-License-Identifier: Apache-2.0
// The sizes of an anchor's files, in the order of the files, as vdbench draws them: from a
// generator with a fixed seed, so that each run finds the sizes of the one before. Bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/io/java_random.h"

namespace stallproof {

class FileSizes {
 public:
  // One size, pairs of size and share in percent, or (average, 0).
  explicit FileSizes(const std::vector<double>& sizes);

  [[nodiscard]] bool all_equal() const { return kind_ == Kind::equal; }
  // Drawn sizes are kept as small numbers: bytes are size_of(next()).
  std::uint32_t next();
  [[nodiscard]] std::uint64_t size_of(std::uint32_t drawn) const;

 private:
  enum class Kind { equal, around, shares };
  std::vector<double> sizes_;
  Kind kind_;
  std::int32_t average_ = 0;
  JavaRandom random_{0};
};

}  // namespace stallproof
