// SPDX-License-Identifier: Apache-2.0
// The FUSE connections of a dump, who serves them, and the requests that wait in them: the records
// of the live lens (probe/scan_fuse.bpf.c), read from the same lists.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/explain/vmcore/fuse_layout.h"
#include "harness/explain/vmcore/open_fuse.h"
#include "harness/explain/vmcore/symbol_book.h"
#include "harness/probe/scan_records.h"

namespace stallproof {

// Of these devices; at most SCAN_MAX_REQUESTS requests of each. What breaks off goes into
// `missing`.
void add_fuse_records(const KernelMemory& memory, const FuseLayout& layout,
                      const std::vector<OpenFuse>& open, ScanRecords& records,
                      std::vector<std::string>& missing);

// Finds the devices and adds them. The Error says why FUSE cannot be read; nobody having it open is
// none.
Result<> read_fuse(const KernelMemory& memory, const KernelBtf& kernel, const SymbolBook& book,
                   const std::vector<DumpedTask>& tasks, ScanRecords& records,
                   std::vector<std::string>& missing);

}  // namespace stallproof
