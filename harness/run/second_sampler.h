// SPDX-License-Identifier: Apache-2.0
// What happened in each second since arming: "no stall" counts only if the hazard was entered and
// work was served in every one of them. Reads the board; judges nothing. Of the past only the least
// growth is kept, by row for the last minutes: what it was before a stall that was just found.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/board/board.h"

namespace stallproof {

class SecondSampler {
 public:
  struct Row {
    Nanos at_ns = 0;
    std::uint64_t page_reads = 0, direct_reads = 0, hazards = 0;
    std::array<std::uint64_t, kMaxLoads> ops{};  // by load
  };

  // Seconds count from `start_ns`.
  void start(Nanos start_ns, const Board& board);
  // Takes a sample when a second is over: true. Late calls make the row longer, never shorter.
  bool sample_if_due(Nanos now_ns, const Board& board);
  [[nodiscard]] Nanos next_due_ns() const { return next_ns_; }

  // Smallest growth between two samples among the seconds that ended before `until_ns`; absent when
  // there was no whole second. Where that is longer ago than what is kept by row, the least may be
  // one of a few seconds later.
  using Field = std::uint64_t (*)(const Row&, std::size_t load);
  [[nodiscard]] std::optional<std::uint64_t> per_second_min(Field field, std::size_t load,
                                                            Nanos until_ns) const;
  [[nodiscard]] static std::string csv_header(const Board& board);
  // Growth of the last row, a line; none before the first sample.
  [[nodiscard]] std::string csv_row(Nanos run_started_ns) const;

  static std::uint64_t page_reads(const Row& row, std::size_t) { return row.page_reads; }
  static std::uint64_t direct_reads(const Row& row, std::size_t) { return row.direct_reads; }
  static std::uint64_t hazards(const Row& row, std::size_t) { return row.hazards; }
  static std::uint64_t load_ops(const Row& row, std::size_t load) { return row.ops[load]; }

  static constexpr std::size_t kKept = 300;

 private:
  static Row read(Nanos now_ns, const Board& board);
  static Row growth(const Row& now, const Row& before);
  static void lower(Row& least, const Row& growth);

  std::size_t loads_ = 0;
  Row last_, grown_;        // the last sample, and its growth
  std::vector<Row> least_;  // ring: the least growth of all rows until then; at_ns: of the row
  std::size_t rows_ = 0;    // samples ever
  Nanos next_ns_ = ~Nanos{0};
};

}  // namespace stallproof
