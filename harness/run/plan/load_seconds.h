// SPDX-License-Identifier: Apache-2.0
// What each load completed in each second of a run. Reads the board; judges nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/board/board.h"
#include "workloads/load_schedule.h"

namespace stallproof {

class LoadSeconds {
 public:
  // `schedules`: by load, as on the board.
  explicit LoadSeconds(std::vector<LoadSchedule> schedules) : schedules_(std::move(schedules)) {}

  void start(Nanos now, const Board& board);
  // Takes a sample when a second is over. A late one makes its row longer and the next one shorter.
  void sample_if_due(Nanos now, const Board& board);
  [[nodiscard]] Nanos next_due_ns() const { return next_ns_; }

  // Fewest operations in a row in which the load was to run all the time, behind `warmup`; absent
  // when there is no such row.
  [[nodiscard]] std::optional<std::uint64_t> least(std::size_t load, Nanos warmup) const;
  // Operations a second of the last row.
  [[nodiscard]] double last_rate(std::size_t load) const;
  [[nodiscard]] bool on_at(std::size_t load, Nanos now) const {
    return schedules_[load].on_at(now - began_ns_);
  }
  // `at`: since the begin.
  [[nodiscard]] bool over_at(std::size_t load, Nanos at) const {
    return schedules_[load].over_at(at);
  }
  [[nodiscard]] std::string csv(const Board& board, Nanos run_started_ns) const;

 private:
  struct Row {
    Nanos at_ns = 0;
    std::vector<std::uint64_t> ops;  // ever
  };
  static Row read(Nanos now, const Board& board);

  std::vector<LoadSchedule> schedules_;
  std::vector<Row> rows_;
  Nanos began_ns_ = 0;
  Nanos next_ns_ = ~Nanos{0};
};

}  // namespace stallproof
