// SPDX-License-Identifier: Apache-2.0
// Who follows a run for the person or program that started it: live view, JSON lines, notices.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "harness/sink/console.h"
#include "harness/sink/json_lines.h"
#include "harness/sink/live_console.h"
#include "harness/sink/notices.h"
#include "harness/sink/run_feed.h"

namespace stallproof {

struct ListenerOptions {
  std::vector<std::string> notify;  // as notify_command() gives it; empty: nobody
  bool json_lines = false;
  Nanos stall_after = kSecond;      // from which age an operation is highlighted
  bool terminal_is_shared = false;  // by a command: what it writes must stay whole
  bool rows_on_stdout = false;      // so do we: no view where stdout is a terminal
};

class RunListeners {
 public:
  // Before anything of the run is started. The console must outlive it.
  static Result<std::unique_ptr<RunListeners>> open(Console& console,
                                                    const ListenerOptions& options);
  // `feed` with these behind those that it has: a verdict is told to them last.
  [[nodiscard]] RunFeed with(const RunFeed& feed = {}) const;

 private:
  RunListeners() = default;
  std::optional<LiveConsole> live_;
  std::optional<JsonLines> lines_;
  std::unique_ptr<Notices> notices_;
  std::vector<RunListener*> all_;
};

}  // namespace stallproof
