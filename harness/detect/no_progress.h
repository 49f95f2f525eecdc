// SPDX-License-Identifier: Apache-2.0
// Detector number one: a load has an op in flight that is at least stall-after old and has
// completed nothing since it began. Onset is the last completion before it, or the op's own start
// where the load was idle until then (a rate-limited load that sat idle has not stalled).
//
// While threads of the load or of what serves it mostly wait for a CPU, the op may be under way
// from one queue to the next: stall-after then counts kPatience times.
#pragma once

#include "harness/detect/detector.h"
#include "harness/detect/load_thresholds.h"

namespace stallproof {

class NoProgress final : public Detector {
 public:
  explicit NoProgress(const LoadThresholds& thresholds) : thresholds_(thresholds) {}
  void check(const SystemView& view, FindingList& out) override;

  // Earliest moment at which some load can become a stall if nothing completes: lets the watchdog
  // wake then and not up to a tick later. ~0 when nothing is in flight.
  [[nodiscard]] Nanos next_due_ns(const SystemView& view) const;
  static Nanos onset_of(const LoadView& load) {
    return load.last_done_ns > load.oldest_op_started_ns ? load.last_done_ns
                                                         : load.oldest_op_started_ns;
  }
  static constexpr Nanos kPatience = 3;
  static constexpr Nanos kQueuedFor = 600 * kMillisecond;  // what a scan said holds so long

 private:
  // Of the load with that index, in the state of the machine that the view shows.
  [[nodiscard]] Nanos stall_after(const SystemView& view, std::size_t load) const;

  LoadThresholds thresholds_;
};

// One op in flight for fail-after while the other threads of its load complete theirs.
class StuckOp final : public Detector {
 public:
  explicit StuckOp(const LoadThresholds& thresholds) : thresholds_(thresholds) {}
  void check(const SystemView& view, FindingList& out) override;

 private:
  LoadThresholds thresholds_;
};

}  // namespace stallproof
