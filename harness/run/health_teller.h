// SPDX-License-Identifier: Apache-2.0
// Tells those who listen how the controller itself fares: reads that did not answer, what could not
// be undone or ended. Controller, main thread; never waits.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/run/live_lens.h"
#include "harness/sink/run_feed.h"

namespace stallproof {

// Of these, processes that did not end by SIGKILL.
std::uint64_t unkillable_among(const std::vector<std::string>& left_behind);

class HealthTeller {
 public:
  // Every loop: looks once a second, and tells when something is new. `feed` may be null.
  void serve(Nanos now, const RunFeed* feed, const LiveLens& lens,
             const std::vector<std::string>& left_behind);
  // At the end of the run, whenever that was last.
  void tell(const RunFeed* feed, const LiveLens& lens, const std::vector<std::string>& left_behind);

 private:
  HealthNews told_;
  Nanos next_ns_ = 0;
};

}  // namespace stallproof
