// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/stall_class.h"

#include <array>

namespace stallproof {
namespace {

constexpr std::array<StallClassRow, 20> kClasses{{
    {kMmapLockCycle, "an mmap_lock waits for itself, through queued tasks and a service"},
    {kMmapLockHeld, "an mmap_lock is held while others wait for it; no cycle is proven"},
    {kVmaLockHeld,
     "a page fault holds the lock of its VMA; who waits for it holds the mmap_lock for write"},
    {kLockCycle, "another lock waits for itself"},
    {kLockHeld, "another lock is held while others wait for it; no cycle is proven"},
    {kDirLock, "a directory is locked by a task that waits for its file-system service"},
    {kFsSelfWait, "a file-system service waits for its own answer, without a lock"},
    {kFsServerStuck, "requests to a file-system service stay unanswered; no cycle is proven"},
    {kExecStuck, "an execve that can no longer fail waits for a file system or for its threads"},
    {kFsFrozen, "writers wait for a file system that is frozen"},
    {kFaultUnresolved, "page faults wait for a userfaultfd that nobody answers"},
    {kDeviceStuck, "a block device has I/O in flight and completes none, or is suspended"},
    {kJournalStuck, "changes wait for a file system's journal, whose commit does not end"},
    {kThrottled, "I/O waits for a limit of its cgroup, not for the device"},
    {kFrozen, "the load is frozen by a cgroup or by suspend"},
    {kStopped, "the load is stopped by a signal or a debugger"},
    {kCpuStarved, "the load is ready to run and gets no CPU"},
    {kUserspace, "the load's threads wait for each other, not for the kernel"},
    {kUnknownStall, "tasks are blocked and this lens does not show why"},
    {kNoStall, "nothing is stuck"},
}};

}  // namespace

std::span<const StallClassRow> stall_classes() { return kClasses; }

}  // namespace stallproof
