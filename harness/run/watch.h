// SPDX-License-Identifier: Apache-2.0
// Somebody else's load under the watchdog, from start to verdict. Controller, main thread. Blocks
// until the target has ended, the time is over, or a failing stall has stood for `give_up_after`;
// never kills, aborts or changes anything that is not ours.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/capture/stall_policy.h"
#include "harness/detect/detector.h"
#include "harness/run/canary_plan.h"
#include "harness/sink/console.h"
#include "harness/sink/run_feed.h"

namespace stallproof {

struct WatchOptions {
  // Exactly one of these names the target.
  std::vector<std::string> command;
  std::optional<int> pid;
  std::string mount, cgroup;

  Thresholds thresholds{.fail_after = 30 * kSecond};
  std::optional<Nanos> duration;
  StallPolicy policy;
  CanaryWish canary = CanaryWish::as_planned;  // which is: none
  Nanos give_up_after = 10 * kSecond;  // how long a failing stall is looked at before we leave
  std::string vdbench_output;          // directory of vdbench's own output; empty: none
  bool json = false;
  std::string out;
  std::map<std::string, std::string> labels;
  std::vector<std::string> fs_files;
  const RunFeed* feed = nullptr;  // who listens
};

// The exit code of the command. Errors are those that no verdict could be given for.
Result<int> run_watch(const WatchOptions& options, Console& console);

}  // namespace stallproof
