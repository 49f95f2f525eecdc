// SPDX-License-Identifier: Apache-2.0
// The classes a stall can be explained as, in one table: explain() picks, `list signatures` prints.
#pragma once

#include <span>
#include <string_view>

namespace stallproof {

struct StallClassRow {
  std::string_view name;
  std::string_view meaning;
};

inline constexpr std::string_view kMmapLockCycle = "mmap_lock_cycle";
inline constexpr std::string_view kMmapLockHeld = "mmap_lock_held";
inline constexpr std::string_view kVmaLockHeld = "vma_lock_held";
inline constexpr std::string_view kLockCycle = "lock_cycle";
inline constexpr std::string_view kLockHeld = "lock_held";
inline constexpr std::string_view kDirLock = "dir_lock";
inline constexpr std::string_view kFsSelfWait = "fs_self_wait";
inline constexpr std::string_view kFsServerStuck = "fs_server_stuck";
inline constexpr std::string_view kExecStuck = "exec_stuck";
inline constexpr std::string_view kFsFrozen = "fs_frozen";
inline constexpr std::string_view kFaultUnresolved = "fault_unresolved";
inline constexpr std::string_view kDeviceStuck = "device_stuck";
inline constexpr std::string_view kJournalStuck = "journal_stuck";
inline constexpr std::string_view kThrottled = "throttled";
inline constexpr std::string_view kFrozen = "frozen";
inline constexpr std::string_view kStopped = "stopped";
inline constexpr std::string_view kCpuStarved = "cpu_starved";
inline constexpr std::string_view kUserspace = "userspace";
inline constexpr std::string_view kUnknownStall = "unknown";
inline constexpr std::string_view kNoStall = "none";

std::span<const StallClassRow> stall_classes();

}  // namespace stallproof
