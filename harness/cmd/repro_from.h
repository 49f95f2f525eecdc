// SPDX-License-Identifier: Apache-2.0
// `repro --from`: a reported stall is matched to the scenario that makes it, made again as it was
// reported, compared node by node, and brought down to the fewest threads. Every reproduction runs
// in a child: one that goes wrong ends nothing else.
#pragma once

#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "harness/run/repro.h"

namespace stallproof {

struct ReproFromOptions {
  std::vector<std::string> files;
  ReproOptions repro;  // thresholds, labels, --fs, parameters that win over the reported ones, out
  Nanos smallest_within = 60 * kSecond;  // 0: it is not looked for
  bool json = false;
  bool quiet = false;
};

// 0: made again, and explained the same; 1: not made again; 3: explained otherwise, no scenario, or
// interrupted; else as the reproduction itself ended.
Result<int> run_repro_from(const ReproFromOptions& options);

}  // namespace stallproof
