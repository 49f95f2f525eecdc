// SPDX-License-Identifier: Apache-2.0
// Throughput dropout: a load's completions fall under dropout-below of their own median over the
// last 60 s for at least 2 s while work is offered. Completions are summed over 500 ms, judged at
// each 100 ms bucket; samples taken while a dropout may be under way do not enter the median, so a
// long stall never becomes the new normal. Fixed memory per load.
//
// Work is offered while at least half as many ops are in flight as is usual for this load: a load
// whose rate was lowered or that is paused has fewer. And where completions are few, chance alone
// makes them come late: a dropout must last as long as twenty of them usually take (with arrivals
// drawn at random, one in 500 million such spans is empty).
#pragma once

#include <array>

#include "harness/detect/detector.h"
#include "harness/detect/load_thresholds.h"

namespace stallproof {

class Dropout final : public Detector {
 public:
  explicit Dropout(const LoadThresholds& thresholds) : thresholds_(thresholds) {}
  void check(const SystemView& view, FindingList& out) override;
  // The load was ended on purpose: reports the end of every dropout still open.
  void close_all(Nanos now_ns, FindingList& out);

  static constexpr Nanos kBucket = 100 * kMillisecond;
  static constexpr std::size_t kWindowBuckets = 5;
  static constexpr std::size_t kHistory = 600;    // 60 s of buckets
  static constexpr std::size_t kMinHistory = 10;  // 1 s: no median is believed before
  static constexpr Nanos kMinDuration = 2 * kSecond;
  static constexpr std::uint64_t kMinMissed = 20;

 private:
  struct LoadState {
    std::array<std::uint64_t, kHistory> windows{};    // completions per 500 ms, ring
    std::array<std::uint64_t, kHistory> in_flight{};  // at the end of each, the same ring
    std::size_t window_count = 0;
    std::array<std::uint64_t, kWindowBuckets + 1> totals{};  // ops at the last bucket edges, ring
    std::size_t buckets = 0;
    Nanos last_bucket_ns = 0;
    Nanos low_since_ns = 0;  // 0 when throughput is normal
    bool reported = false;
    double min_ratio = 1;
  };
  void end_bucket(std::size_t load, const SystemView& view, FindingList& out);
  void judge(std::size_t index, std::uint64_t window, const SystemView& view, FindingList& out);
  void end_dropout(std::size_t index, Nanos now_ns, FindingList& out);
  static bool is_offered(const LoadState& state, std::uint64_t in_flight);

  LoadThresholds thresholds_;
  std::array<LoadState, kMaxLoads> states_{};
};

}  // namespace stallproof
