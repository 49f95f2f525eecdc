// SPDX-License-Identifier: Apache-2.0
// The records of one scan, sorted by kind. Pure; copies out of the buffer, which may be unaligned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/probe/scan_record.h"

namespace stallproof {

struct ScanRecords {
  ScanBegin begin{};
  std::vector<ScanConnection> connections;
  std::vector<ScanRequest> requests;
  std::vector<ScanLock> locks;
  std::vector<ScanWaiter> waiters;  // in queue order; `lock` says whose
  std::vector<ScanTask> tasks;
  bool damaged = false;  // something in the bytes was no record

  static ScanRecords parse(std::span<const std::byte> bytes);
  [[nodiscard]] const ScanTask* find_task(std::uint64_t address) const;
};

}  // namespace stallproof
