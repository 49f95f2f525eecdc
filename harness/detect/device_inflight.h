// SPDX-License-Identifier: Apache-2.0
// A disk that has requests in flight and has ended none for stall-after. Supports a stall that
// progress shows: whose requests they are is not known here.
#pragma once

#include <array>

#include "harness/detect/detector.h"

namespace stallproof {

class DeviceInflight final : public Detector {
 public:
  explicit DeviceInflight(const Thresholds& thresholds) : stall_after_(thresholds.stall_after) {}
  void check(const SystemView& view, FindingList& out) override;

 private:
  struct State {
    std::uint64_t completed = 0;
    Nanos since_ns = 0;  // seen busy with nothing ended since then; 0: not so
  };
  Nanos stall_after_;
  Nanos judged_ns_ = 0;  // time of the newest row that was judged
  std::array<State, kSystemDisks> states_{};
};

}  // namespace stallproof
