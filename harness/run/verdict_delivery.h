// SPDX-License-Identifier: Apache-2.0
// How a run ends for whoever started it: verdict.json, the same document or one line per reason on
// the console, report.html, and the exit code, which is never 0 when something could not be kept or
// said.
#pragma once

#include <string>
#include <vector>

#include "harness/sink/console.h"
#include "harness/sink/run_feed.h"
#include "harness/store/run_dir.h"
#include "harness/store/verdict.h"

namespace stallproof {

// What those who listen have to say is put into its notes; may wait for them, bounded.
void take_notes(Verdict& verdict, const RunFeed* feed);

// `notes`: lines for people that follow the reasons. `feed`: who is told the verdict once it is
// kept; null: nobody.
int deliver_verdict(RunDir& run, Console& console, const Verdict& verdict,
                    const std::vector<std::string>& notes, const RunFeed* feed);

// report.html of a run whose verdict is saved. A page that cannot be written is a line on stderr
// and changes nothing: it can be made again from the run directory.
void deliver_report(const RunDir& run, Console& console);

// The run, whose verdict is saved, joins the history; a stall that was seen before is told. What
// goes wrong is one line on stderr and changes no verdict.
void tell_history(const RunDir& run, Console& console, bool stdout_is_ours);
// junit.xml of a run whose verdict.json and incidents are saved.
void save_junit(RunDir& run);

}  // namespace stallproof
