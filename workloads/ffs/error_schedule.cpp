// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/error_schedule.h"

#include <algorithm>

namespace stallproof {

bool ErrorSchedule::error_due(std::uint64_t armed_ns, std::uint64_t offset, std::uint64_t length) {
  if (armed_ns != armed_ns_) {
    armed_ns_ = armed_ns;
    std::fill(reads_.begin(), reads_.end(), 0U);
  }
  const std::uint64_t end =
      std::min<std::uint64_t>((offset + length + kPageSize - 1) / kPageSize, reads_.size());
  bool due = false;
  for (std::uint64_t page = offset / kPageSize; page < end; ++page)
    due |= ++reads_[static_cast<std::size_t>(page)] % 2 == 1;
  return due;
}

}  // namespace stallproof
