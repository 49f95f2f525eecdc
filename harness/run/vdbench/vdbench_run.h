// SPDX-License-Identifier: Apache-2.0
// vdbench's parameter files, executed: plan, luns, formats, runs, verdict. Controller, main thread.
// Blocks until all runs are over; bounded by their times, and by fail_after for what never ends.
#pragma once

#include "harness/run/vdbench/vdbench_options.h"
#include "harness/sink/console.h"

namespace stallproof {

// The exit code of the command. Errors are those before any I/O was made.
Result<int> run_vdbench(const VdbenchOptions& options, const Plan& plan, Console& console);

}  // namespace stallproof
