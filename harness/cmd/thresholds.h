// SPDX-License-Identifier: Apache-2.0
// --stall-after, --fail-after, --dropout-below and --without, the same for every command that has a
// watchdog.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/detect/detector.h"

namespace CLI {
class App;
}

namespace stallproof {

struct ThresholdWords {
  std::string stall_after = "1s", fail_after, dropout_below = "0.10";
  std::vector<std::string> without;
};

// `fail_after_default`: as help says it.
void add_threshold_options(CLI::App& app, ThresholdWords& words,
                           const std::string& fail_after_default);
// `fail_after`: used where none was given, but never less than stall_after.
Result<Thresholds> read_thresholds(const ThresholdWords& words, Nanos fail_after);

}  // namespace stallproof
