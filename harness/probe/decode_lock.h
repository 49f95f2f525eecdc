// SPDX-License-Identifier: Apache-2.0
// One lock of a kernel scan to a LockRow: its words, its queue and, as far as it can be known, who
// holds it. Pure.
//
// A reader-held rwsem does not record its readers: `owner` is the last one to come, who may have
// left (kernel/locking/rwsem.c, rwsem_set_reader_owned, 5.3 to 6.18). What is exact is the page
// fault found on a stack: one that has used up its retry (FAULT_FLAG_TRIED) and does not hold the
// VMA's own lock keeps mmap_lock for read until the page is there (mm/filemap.c filemap_fault,
// mm/internal.h maybe_unlock_mmap_for_io). userfaultfd drops the lock even then.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/probe/decode_task.h"
#include "harness/probe/scan_records.h"

namespace stallproof {

struct DecodedTask {
  TaskRow row;
  std::optional<ScannedFault> fault;
};

// `tasks` are records.tasks, decoded, in the same order. Sentences about what stays unknown are
// added to `blind_spots`.
LockRow decode_lock(const ScanLock& record, const ScanRecords& records,
                    const std::vector<DecodedTask>& tasks, std::vector<std::string>& blind_spots);

}  // namespace stallproof
