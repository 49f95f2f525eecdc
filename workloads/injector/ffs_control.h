// SPDX-License-Identifier: Apache-2.0
// The control files of the module ffs_stub (kmod-stub), in debugfs: locks that it holds on demand,
// its abort, its counters. Root only. A write may block for the 5 s in which the module tries to
// take a lock; the others return at once.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/board/service_panel.h"

namespace stallproof {

inline constexpr const char* kFfsDevice = "/dev/ffs";
inline constexpr const char* kFfsControl = "/sys/kernel/debug/ffs_stub";

// `text` as the module's README says: SECONDS, or PID SECONDS.
Result<> hold_ffs_lock(const std::string& kind, const std::string& text);
// One that is not held, or whose module is gone, is no error.
Result<> release_ffs_lock(const std::string& kind);
// Everything queued and later fails, until it is undone. Without the module: nothing to do.
Result<> abort_ffs(bool on);
// Page reads, direct reads and hazards, since the module was loaded; nothing where it is gone.
void count_ffs(ServicePanel& into);

}  // namespace stallproof
