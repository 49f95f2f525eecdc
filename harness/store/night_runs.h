// SPDX-License-Identifier: Apache-2.0
// Run directories that a night has made, found by their label; and their removal. A directory is
// one of them only when it lies where runs go by default, bears its run's own name, has a verdict
// and the label in it: what somebody ran by hand, what goes on, what is damaged and what is not a
// run is never among them. Controller; blocking reads of run directories.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/store/retention.h"

namespace stallproof {

inline constexpr const char* kNightLabel = "night";

struct NightRun {
  KeptRun kept;
  std::string night;  // its label
};
// Below `runs`, in the order of their names. `sizes`: also how much they hold.
std::vector<NightRun> find_night_runs(const std::string& runs, bool sizes = true);

// Renames it first, so that what is removed in part is no run any more; then removes it with all it
// holds, follows no link and leaves other file systems alone. In a child: blocks 60 s at most.
// Refused while somebody holds it.
Result<> remove_run_directory(const std::string& directory);
// Goes on with those that were removed in part. `pass` is called before each.
void remove_remains(const std::string& runs, const std::function<void()>& pass);

}  // namespace stallproof
