// SPDX-License-Identifier: Apache-2.0
// The dead kernel's log where no dump has it: pstore, and the journal of that boot.
#pragma once

#include <string>

#include "harness/base/clock.h"
#include "harness/run/postmortem/crash_site.h"

namespace stallproof {

struct KernelLogLeft {
  std::string where;  // for people; empty: nothing was found
  std::string text;
  TiedBy by = TiedBy::nothing;
};

// /sys/fs/pstore and /var/lib/systemd/pstore below `root`. Blocking.
KernelLogLeft pstore_of(const UnfinishedRun& run, const std::string& root);
// What journald wrote of that boot before it died, by journalctl in a child. Blocks until the
// deadline at most; where there is no journal or no such boot, nothing.
KernelLogLeft journal_of(const UnfinishedRun& run, const std::string& root, Deadline deadline);

}  // namespace stallproof
