// SPDX-License-Identifier: Apache-2.0
#include "harness/run/load_report.h"

#include <algorithm>

namespace stallproof {

WorkloadEntry load_totals(const Board& board, const LoadEntry& load) {
  WorkloadEntry entry;
  HistogramSum latency;
  for (const BoardSlot& slot : board.slots_of(load)) {
    entry.ops += slot.ops.load();
    entry.bytes += slot.bytes.load();
    entry.errors += slot.errors.load();
    entry.mismatches += slot.mismatches.load();
    entry.sigbus += slot.sigbus.load();
    latency.add(slot.latency);
  }
  if (entry.ops == 0) return entry;
  entry.p50_us = static_cast<double>(latency.quantile(0.5)) / 1e3;
  entry.p99_us = static_cast<double>(latency.quantile(0.99)) / 1e3;
  entry.max_us = static_cast<double>(latency.quantile(1.0)) / 1e3;
  return entry;
}

std::vector<OpenIo> open_ios(const Board& board, Nanos now) {
  std::vector<OpenIo> found;
  const auto slots = board.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Nanos began = slots[i].op_started_ns.load(std::memory_order_acquire);
    if (began == 0 || began > now || slots[i].left.load() != 0) continue;
    found.push_back({.slot = i,
                     .op = static_cast<Op>(slots[i].op_code.load()),
                     .offset = slots[i].op_offset.load(),
                     .age_ns = now - began,
                     .tid = slots[i].tid.load()});
  }
  std::sort(found.begin(), found.end(),
            [](const OpenIo& a, const OpenIo& b) { return a.age_ns > b.age_ns; });
  return found;
}

}  // namespace stallproof
