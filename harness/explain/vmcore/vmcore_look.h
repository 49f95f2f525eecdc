// SPDX-License-Identifier: Apache-2.0
// What `explain --vmcore` shows, read in a child: the library that reads dump files, and a damaged
// file, can do nothing worse than end that child.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/explain/vmcore/vmcore.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

enum class VmcoreView { explanation, bt, tasks, waiters };

struct VmcoreLook {
  std::string text;       // of the view; of `explanation` empty
  LockSnapshot snapshot;  // of `explanation`
  std::vector<std::string> missing;
};

// Blocks at most 4 s and 1 s for each 100 MB of the file. Forks: not from a watchdog. The Error is
// one line that begins with the path.
Result<VmcoreLook> look_at_vmcore(const std::string& path, VmcoreView view,
                                  const VmcoreSources& sources);

// Empty where this build can read dumps; else why not.
std::string_view no_vmcores_because();

}  // namespace stallproof
