// SPDX-License-Identifier: Apache-2.0
// Where an execution's results go, as vdbench names it: DIR (its default is "output"), DIR+ for the
// next free DIR001, DIR002 …, DIR.tod for a time in the name. Our run directory and vdbench's files
// are one directory.
#pragma once

#include <vector>

#include "harness/probe/mountinfo.h"
#include "harness/run/vdbench/vdbench_options.h"
#include "harness/store/run_dir.h"

namespace stallproof {

// Makes the directory. What an earlier execution left in it is moved into a directory of its own
// there, named earlier-TIME: no result is overwritten.
Result<RunDir> prepare_run_dir(const VdbenchOptions& options);

// An Error where the results would lie on one of `under_test`, or where their place does not answer
// within a second.
Result<> refuse_vdbench_place(const VdbenchOptions& options,
                              const std::vector<MountEntry>& under_test);

// The name that -o means, by what exists already.
std::string place_of(const std::string& given);

}  // namespace stallproof
