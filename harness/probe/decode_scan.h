// SPDX-License-Identifier: Apache-2.0
// The bytes of a kernel scan, turned into a LockSnapshot. Pure and total: damaged input gives what
// could be read and a blind spot. Allocates; run it outside the watchdog's loop.
#pragma once

#include <cstddef>
#include <span>

#include "harness/probe/kernel_symbols.h"
#include "harness/probe/lock_snapshot.h"
#include "harness/probe/scan_records.h"

namespace stallproof {

// Nearer than this two scans do not tell a blocked task from a busy one; `before` is then ignored.
inline constexpr Nanos kScanGap = 200 * kMillisecond;

// An earlier scan of the same kernel.
struct ScanBefore {
  std::span<const std::byte> bytes;
};

// `before` may be null; with it tasks get `unchanged_for` and requests an `age` even where the
// kernel keeps no creation time.
LockSnapshot decode_scan(std::span<const std::byte> now, const ScanBefore* before,
                         const KernelSymbols& symbols);

// The same from records that somebody else has filled in, seen once.
LockSnapshot decode_records(const ScanRecords& records, const KernelSymbols& symbols);

// Whether the scan read everything that this lens can read: no pass failed or was cut, FUSE was
// read, nothing is damaged. Lists that changed while they were walked do not count: what moves is
// not stuck. Nor does what no scan of this kernel shows.
bool scan_is_whole(std::span<const std::byte> bytes);
// One pass only: see KernelScan::Depth.
bool is_quick_scan(std::span<const std::byte> bytes);

}  // namespace stallproof
