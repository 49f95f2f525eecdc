// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/run_listeners.h"

namespace stallproof {

Result<std::unique_ptr<RunListeners>> RunListeners::open(Console& console,
                                                         const ListenerOptions& options) {
  std::unique_ptr<RunListeners> listeners(new RunListeners());
  const bool others_rows = options.rows_on_stdout && console.stdout_is_terminal();
  if (console.can_draw() && !options.terminal_is_shared && !others_rows) {
    auto& live =
        listeners->live_.emplace(console, LiveConsole::Options{.stall_after = options.stall_after});
    console.add(live, true);
    listeners->all_.push_back(&live);
  }
  if (options.json_lines) {
    auto& lines = listeners->lines_.emplace(console);
    console.add(lines);
    listeners->all_.push_back(&lines);
  }
  if (options.notify.empty()) return listeners;
  auto notices = Notices::start(options.notify, console);
  if (!notices) return Failure(notices.error());
  listeners->notices_ = std::move(*notices);
  console.add(*listeners->notices_);
  listeners->all_.push_back(listeners->notices_.get());
  return listeners;
}

RunFeed RunListeners::with(const RunFeed& feed) const {
  RunFeed all = feed;
  for (RunListener* const listener : all_) all.add(*listener);
  return all;
}

}  // namespace stallproof
