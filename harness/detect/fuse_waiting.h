// SPDX-License-Identifier: Apache-2.0
// A watched FUSE connection that has had unanswered requests for stall-after while no load
// completed anything. Supports a stall that progress shows.
#pragma once

#include <array>

#include "harness/detect/detector.h"

namespace stallproof {

class FuseWaiting final : public Detector {
 public:
  explicit FuseWaiting(const Thresholds& thresholds) : stall_after_(thresholds.stall_after) {}
  void check(const SystemView& view, FindingList& out) override;

 private:
  Nanos stall_after_;
  std::array<Nanos, kSystemFuse> since_{};  // waiting without a break since then; 0: not
};

}  // namespace stallproof
