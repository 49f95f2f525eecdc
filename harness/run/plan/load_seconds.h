// SPDX-License-Identifier: Apache-2.0
// What each load completed in each second of a run. Reads the board; judges nothing. Keeps the last
// row and the least of all: a run of days holds no more than one of a minute.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/board/board.h"
#include "workloads/load_schedule.h"

namespace stallproof {

class LoadSeconds {
 public:
  // `schedules`: by load, as on the board. Rows that begin within `warmup` do not count as least.
  LoadSeconds(std::vector<LoadSchedule> schedules, Nanos warmup)
      : schedules_(std::move(schedules)), warmup_(warmup), least_(schedules_.size()) {}

  void start(Nanos now, const Board& board);
  // Takes a sample when a second is over: true. A late one makes its row longer and the next one
  // shorter.
  bool sample_if_due(Nanos now, const Board& board);
  [[nodiscard]] Nanos next_due_ns() const { return next_ns_; }

  // Fewest operations in a row in which the load was to run all the time, behind the warm-up;
  // absent when there was no such row.
  [[nodiscard]] std::optional<std::uint64_t> least(std::size_t load) const { return least_[load]; }
  // Operations a second of the last row.
  [[nodiscard]] double last_rate(std::size_t load) const;
  [[nodiscard]] bool on_at(std::size_t load, Nanos now) const {
    return schedules_[load].on_at(now - began_ns_);
  }
  // `at`: since the begin.
  [[nodiscard]] bool over_at(std::size_t load, Nanos at) const {
    return schedules_[load].over_at(at);
  }
  [[nodiscard]] static std::string csv_header(const Board& board);
  // The last row as a line; none before the first sample.
  [[nodiscard]] std::string csv_row(Nanos run_started_ns) const;

 private:
  struct Row {
    Nanos at_ns = 0;                             // 0: there is none yet
    std::array<std::uint64_t, kMaxLoads> ops{};  // ever
  };
  static Row read(Nanos now, const Board& board);

  std::vector<LoadSchedule> schedules_;
  Nanos warmup_ = 0;
  std::vector<std::optional<std::uint64_t>> least_;
  Row before_, last_;
  Nanos began_ns_ = 0;
  Nanos next_ns_ = ~Nanos{0};
};

}  // namespace stallproof
