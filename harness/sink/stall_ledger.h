// SPDX-License-Identifier: Apache-2.0
// What has happened in a run, counted as metrics count: incidents by class and source, dropouts by
// workload, captures. Bounded however long the run is. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "harness/sink/label_value.h"
#include "harness/sink/run_news.h"

namespace stallproof {

// Upper edges, in seconds, of the classes of how long stalls lasted.
inline constexpr std::array<double, 11> kStallEdges{1,   2.5, 5,   10,   30,  60,
                                                    120, 300, 600, 1800, 3600};

struct DropoutLine {
  std::uint64_t stopped = 0;  // nothing completed when it was found
  std::uint64_t slow = 0;     // all others
  std::uint64_t allowed = 0;  // of both, those in a window in which a mark allows stalls
  double ended_s = 0;         // those that have ended, together
  double longest_s = 0;       // of those
  std::optional<double> active_since_ms;
};

class StallLedger {
 public:
  void opened(const StallNews& news);
  void explained(const StallNews& news);
  void resolved(const StallNews& news);
  void dropout(const DropoutNews& news, const std::string& workload);
  void captured(const CaptureNews& news);
  // The run is over: what still stands keeps the class that it has.
  void settle_all() { settle_found_before(1e300); }
  // What was detected before that is counted by the class that it has now.
  void settle_found_before(double ms);

  [[nodiscard]] const std::map<std::string, std::uint64_t>& by_source() const { return sources_; }
  // By class and source.
  [[nodiscard]] const std::map<std::pair<std::string, std::string>, std::uint64_t>& settled()
      const {
    return settled_;
  }
  // Incidents that stand, by class; 0 for classes of which some stood before.
  [[nodiscard]] std::map<std::string, std::uint64_t> active() const;
  // The same of those that a mark allows to stand at that moment.
  [[nodiscard]] std::map<std::string, std::uint64_t> allowed(double now_ms) const;
  // The longest that one of them may last; 0: there is none.
  [[nodiscard]] double longest_allowed_ms(double now_ms) const;
  // The earliest onset of those that stand.
  [[nodiscard]] std::optional<double> oldest_onset_ms() const;
  [[nodiscard]] std::uint64_t circles() const { return circles_; }
  [[nodiscard]] const std::array<std::uint64_t, kStallEdges.size() + 1>& durations() const {
    return durations_;
  }
  [[nodiscard]] double durations_sum_s() const { return durations_sum_s_; }
  [[nodiscard]] const std::map<std::string, DropoutLine>& dropouts() const { return dropouts_; }
  // By kind and whether it was taken.
  [[nodiscard]] const std::map<std::pair<std::string, bool>, std::uint64_t>& captures() const {
    return captures_;
  }

 private:
  struct Standing {
    std::string stall_class, source;
    double onset_ms = 0, detected_ms = 0;
    std::optional<double> allowed_ms;
    bool in_circle = false;
    bool settled = false;
    [[nodiscard]] bool allowed_at(double now_ms) const {
      return allowed_ms && now_ms <= onset_ms + *allowed_ms;
    }
  };
  void set_class(Standing& standing, const StallNews& news);
  void settle(Standing& standing);

  std::map<std::string, Standing> standing_;  // by id
  std::map<std::string, std::uint64_t> sources_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> settled_;
  std::map<std::string, DropoutLine> dropouts_;
  std::map<std::pair<std::string, bool>, std::uint64_t> captures_;
  std::uint64_t circles_ = 0;
  std::array<std::uint64_t, kStallEdges.size() + 1> durations_{};
  double durations_sum_s_ = 0;
  BoundedValues classes_{32};
  std::map<std::string, std::uint64_t> seen_classes_{{"unknown", 0}};
};

}  // namespace stallproof
