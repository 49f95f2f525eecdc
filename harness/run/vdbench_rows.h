// SPDX-License-Identifier: Apache-2.0
// vdbench's own rows on our time line, from the flatfile.html it writes while it runs (5.04.07: a
// header of names beginning with `tod`, then a row for each interval, blank separated). A slave
// that is frozen writes no row at all and then several at once: so an interval whose row does not
// come in time is a row of its own, `missing`, whether or not it comes later. Pure but for poll().
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/clock.h"

namespace stallproof {

struct VdbenchRow {
  Nanos at_ns = 0;  // CLOCK_MONOTONIC; of a missing row: when it was due
  std::string run;
  std::uint64_t interval = 0;
  double iops = 0, mbps = 0, resp_ms = 0;
  bool missing = false;
};

class VdbenchRows {
 public:
  // `directory`: vdbench's output directory; need not exist yet. Empty: nothing is ever read.
  explicit VdbenchRows(std::string directory) : directory_(std::move(directory)) {}

  // Reads what was appended since, through a child with a deadline, and notices what is missing.
  void poll(Nanos now, Nanos realtime_now);
  // The same with the text given. A half line waits for its rest.
  void feed(std::string_view appended, Nanos now, Nanos realtime_now);
  void notice_missing(Nanos now);

  // Since they were taken last.
  [[nodiscard]] const std::vector<VdbenchRow>& rows() const { return rows_; }
  // Of all rows ever.
  [[nodiscard]] std::size_t missing() const { return missing_; }
  // Why nothing could be read; empty when something was, or nothing was asked for.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] static std::string csv_header() {
    return "t_ms,interval,iops,mbps,resp_ms,missing\n";
  }
  // rows() as lines; they are forgotten.
  [[nodiscard]] std::string take_csv(Nanos run_started_ns);

 private:
  void begin_anew();
  void learn_interval(const VdbenchRow& row);
  void add_missing(Nanos due);
  void take_line(std::string_view line, Nanos now, Nanos realtime_now);
  [[nodiscard]] std::string field(const std::vector<std::string>& words, const char* name) const;

  std::string directory_;
  std::string problem_;
  std::uint64_t offset_ = 0;
  std::uint64_t inode_ = 0;  // of the file that was read last; 0: none yet
  bool polled_ = false;
  bool before_us_ = false;  // rows that were written before we began are not ours
  std::string rest_;        // a line that is not whole yet
  std::map<std::string, std::size_t> columns_;  // names in lower case
  std::vector<VdbenchRow> rows_;
  std::size_t missing_ = 0;
  Nanos last_ns_ = 0;      // of the last real row; 0: a run has just ended or none began
  Nanos interval_ns_ = 0;  // learned from two rows that follow each other; 0: not yet
  std::uint64_t last_interval_ = 0;
  std::uint64_t expected_ = 0;  // the next interval to come or to be missed
  std::string run_;
};

}  // namespace stallproof
