// SPDX-License-Identifier: Apache-2.0
// Where a run tells what happens to it beside its run directory (--listen, --linger, --textfile,
// --notify; the live view and JSON lines), the same for every command that runs something.
#pragma once

#include <functional>
#include <string>

#include "harness/base/result.h"
#include "harness/cmd/notify_words.h"
#include "harness/cmd/run_listeners.h"
#include "harness/sink/console.h"
#include "harness/sink/run_feed.h"

namespace CLI {
class App;
}

namespace stallproof {

struct OutletWords {
  std::string listen, linger, textfile;
  NotifyWords notify;
};

void add_outlet_options(CLI::App& app, OutletWords& words);

// Opens them first: what cannot be listened on, written to or started ends the command before
// anything is run. `listeners.notify`: as a plan says it; the words count more. After the run its
// metrics are served for --linger, until SIGINT or SIGTERM; not after one of these has ended the
// run. Gives what `run` gave.
Result<int> with_outlets(const OutletWords& words, Console& console, ListenerOptions listeners,
                         const std::function<Result<int>(const RunFeed& feed)>& run);

}  // namespace stallproof
