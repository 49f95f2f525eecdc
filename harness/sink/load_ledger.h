// SPDX-License-Identifier: Apache-2.0
// What has been counted of each workload, as metrics may say it: by bounded names, and never less
// than before, whatever the figures do. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "harness/sink/label_value.h"
#include "harness/sink/run_figures.h"

namespace stallproof {

inline constexpr std::size_t kWorkloadLabels = 32;
inline constexpr std::size_t kTargetLabels = 16;

// What is counted of the operations of one kind.
struct OpCounts {
  std::uint64_t ops = 0, bytes = 0;
  double seconds = 0;
  LatencyCounts latency{};
};

struct LoadLine {
  bool own = true;
  std::string target;  // what it works on; empty: not known, or several
  std::uint64_t ops = 0, mismatches = 0;
  std::map<std::string, OpCounts> kinds;          // those of own loads; of others all are "any"
  std::map<std::string, std::uint64_t> failures;  // by reason; own loads
  // As of the last figures.
  std::uint32_t in_flight = 0;
  double oldest_age_s = 0;
  std::uint64_t last_progress_ns = 0;  // monotonic; 0: nothing completed yet
  std::optional<double> throughput_ratio;
};

class LoadLedger {
 public:
  // What loads work on, by load; "" is for those that are not named.
  void set_targets(const std::map<std::string, std::string>& targets) { targets_ = targets; }
  void take(const RunFigures& figures);
  // Once a second: the throughput of the time since the last call. None while `elapsed_s` is short.
  void note_second(double elapsed_s);
  // By value of the label `workload`.
  [[nodiscard]] const std::map<std::string, LoadLine>& lines() const { return lines_; }
  // What a load of the figures is called there.
  [[nodiscard]] std::string label_of(const std::string& load);

 private:
  struct Before {
    std::uint64_t ops = 0, mismatches = 0;
    std::map<std::string, OpCounts> kinds;
    std::map<std::string, std::uint64_t> failures;
  };
  struct Pace {
    std::uint64_t ops = 0;
    std::deque<double> per_second;  // the newest last
  };

  [[nodiscard]] std::string target_of(const std::string& load);
  static void count_kinds(const LoadFigures& load, Before& before, LoadLine& line);

  std::map<std::string, LoadLine> lines_;
  std::map<std::string, std::string> targets_;
  std::map<std::string, Before> before_;  // by name of the load; as many as there are rows
  std::map<std::string, std::string> labels_;
  std::map<std::string, Pace> paces_;  // by label
  BoundedValues values_{kWorkloadLabels}, target_values_{kTargetLabels};
};

}  // namespace stallproof
