// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/stall_class.h"

#include <array>

namespace stallproof {
namespace {

constexpr std::array<StallClassRow, 8> kClasses{{
    {kMmapLockCycle, "an mmap_lock waits for itself, through queued tasks and a service"},
    {kMmapLockHeld, "an mmap_lock is held while others wait for it; no cycle is proven"},
    {kLockCycle, "another lock waits for itself"},
    {kLockHeld, "another lock is held while others wait for it; no cycle is proven"},
    {kFsSelfWait, "a file-system service waits for its own answer, without a lock"},
    {kFsServerStuck, "requests to a file-system service stay unanswered; no cycle is proven"},
    {kUnknownStall, "tasks are blocked and this lens does not show why"},
    {kNoStall, "nothing is stuck"},
}};

}  // namespace

std::span<const StallClassRow> stall_classes() { return kClasses; }

}  // namespace stallproof
