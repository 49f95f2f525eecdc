// SPDX-License-Identifier: Apache-2.0
// The list of second-try page reads that wait for their answer, on the board. The receiver alone
// opens entries, so finding a free one needs no lock; whoever answered closes.
#pragma once

#include <cstdint>

#include "harness/base/clock.h"
#include "harness/board/service_panel.h"

namespace stallproof {

// nullptr when all entries are taken: then the hazard is counted but not listed.
inline OpenHazard* open_hazard(ServicePanel& panel, std::uint32_t tid, std::uint64_t offset) {
  for (OpenHazard& entry : panel.open_hazards) {
    if (entry.tid.load(std::memory_order_acquire) != 0) continue;
    entry.offset.store(offset, std::memory_order_relaxed);
    entry.since_ns.store(monotonic_now(), std::memory_order_relaxed);
    entry.tid.store(tid, std::memory_order_release);
    return &entry;
  }
  return nullptr;
}

inline void close_hazard(OpenHazard* entry) {
  if (entry != nullptr) entry->tid.store(0, std::memory_order_release);
}

// At the end of the connection, when nobody holds a lock for an answer any more.
inline void close_all_hazards(ServicePanel& panel) {
  for (OpenHazard& entry : panel.open_hazards) close_hazard(&entry);
}

}  // namespace stallproof
