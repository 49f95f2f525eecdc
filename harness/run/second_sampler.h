// SPDX-License-Identifier: Apache-2.0
// What happened in each second since arming: "no stall" counts only if the hazard was entered and
// work was served in every one of them. Reads the board; judges nothing.
#pragma once

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
    std::vector<std::uint64_t> ops;  // by load
  };

  // Seconds count from `start_ns`.
  void start(Nanos start_ns, const Board& board);
  // Takes a sample when a second is over. Late calls make the row longer, never shorter.
  void sample_if_due(Nanos now_ns, const Board& board);
  [[nodiscard]] Nanos next_due_ns() const { return next_ns_; }

  // Smallest growth between two samples among the seconds that ended before `until_ns`; absent when
  // there was no whole second.
  using Field = std::uint64_t (*)(const Row&, std::size_t load);
  [[nodiscard]] std::optional<std::uint64_t> per_second_min(Field field, std::size_t load,
                                                            Nanos until_ns) const;
  // CSV of the growth per second.
  [[nodiscard]] std::string csv(const Board& board, Nanos run_started_ns) const;

  static std::uint64_t page_reads(const Row& row, std::size_t) { return row.page_reads; }
  static std::uint64_t direct_reads(const Row& row, std::size_t) { return row.direct_reads; }
  static std::uint64_t hazards(const Row& row, std::size_t) { return row.hazards; }
  static std::uint64_t load_ops(const Row& row, std::size_t load) { return row.ops[load]; }

 private:
  static Row read(Nanos now_ns, const Board& board);
  std::vector<Row> rows_;
  Nanos next_ns_ = ~Nanos{0};
};

}  // namespace stallproof
