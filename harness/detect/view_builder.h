// SPDX-License-Identifier: Apache-2.0
// Views for the detectors' tests: one load, time and counters set by hand.
#pragma once

#include <algorithm>

#include "harness/detect/detector.h"

namespace stallproof {

struct ViewBuilder {
  SystemView view;
  ViewBuilder() { view.load_count = 1; }
  ViewBuilder& at(Nanos now) {
    view.now_ns = now;
    return *this;
  }
  ViewBuilder& done(Nanos when, std::uint64_t ops = 1) {
    view.loads[0].last_done_ns = when;
    view.loads[0].ops += ops;
    return *this;
  }
  ViewBuilder& in_flight_since(Nanos when, std::uint32_t count = 1) {
    view.loads[0].in_flight = count;
    view.loads[0].oldest_op_started_ns = when;
    view.loads[0].oldest_op_tid = 42;
    return *this;
  }
  ViewBuilder& idle() {
    view.loads[0].in_flight = 0;
    view.loads[0].oldest_op_started_ns = 0;
    return *this;
  }
};

inline std::size_t count_of(const FindingList& list, FindingKind kind) {
  return static_cast<std::size_t>(
      std::count_if(list.items().begin(), list.items().end(),
                    [kind](const Finding& f) { return f.kind == kind; }));
}

}  // namespace stallproof
