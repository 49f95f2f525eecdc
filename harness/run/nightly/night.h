// SPDX-License-Identifier: Apache-2.0
// A night: what is left of earlier runs is undone and closed, the node is looked at, each target
// gets its run, the gate judges them all, and the disk is kept in bounds. Every run is a process of
// its own, a command that a person could type, so that whatever becomes of it the night goes on.
// Main thread of the command. Blocks until it is over; every wait has a deadline.
#pragma once

#include <string>

#include "harness/run/nightly/night_plan.h"
#include "harness/sink/console.h"

namespace stallproof {

struct NightOptions {
  NightPlan plan;
  std::string file;
  bool accept_unclean = false;
};

// The exit code of the command. Errors are those before anything was done.
Result<int> run_night(const NightOptions& options, Console& console);

// What it would run: a comment of TOML for each command, and the plan of its loads.
std::string night_preview(const NightPlan& plan);

}  // namespace stallproof
