// SPDX-License-Identifier: Apache-2.0
// Which page reads the read_error behaviour answers with EIO: the 1st, 3rd, 5th ... of each page
// since arming, so that a fault's second try succeeds, the client survives, and the hazard never
// runs dry however long the soak. Pure; receiver thread only; memory of 4 bytes per page.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace stallproof {

class ErrorSchedule {
 public:
  static constexpr std::uint64_t kPageSize = 4096;

  // Pages behind this never fail: a count for each page of a huge sparse file has no room.
  static constexpr std::uint64_t kScheduled = 64ULL << 30U;

  explicit ErrorSchedule(std::uint64_t file_size)
      : reads_(static_cast<std::size_t>((std::min(file_size, kScheduled) + kPageSize - 1) /
                                        kPageSize)) {}

  // `armed_ns` identifies the arming: a new value starts every page afresh. A read of several pages
  // fails when it is due for any of them. Pages behind the end of the file never fail.
  bool error_due(std::uint64_t armed_ns, std::uint64_t offset, std::uint64_t length);

 private:
  std::uint64_t armed_ns_ = 0;
  std::vector<std::uint32_t> reads_;
};

}  // namespace stallproof
