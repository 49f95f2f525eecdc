// SPDX-License-Identifier: Apache-2.0
// Lens: the memory image of a dead kernel as a LockSnapshot, without debug information: where the
// kernel lies comes from VMCOREINFO, names from its own symbol table, fields from its own BTF,
// stacks by ORC. Kernels from 6.0 on; with their System.map from where BTF and ORC are.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/kernel_stack.h"
#include "harness/explain/vmcore/lock_queues.h"
#include "harness/explain/vmcore/task_walk.h"
#include "harness/explain/vmcore/vmcoreinfo.h"
#include "harness/probe/kernel_symbols.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

// Files beside the dump; empty where there is none.
struct VmcoreSources {
  std::string system_map;  // of the same kernel, for a dump without a symbol table
  std::string modules;     // folder of .ko files, for modules whose own table is missing
};

struct Vmcore {
  std::string release;
  KernelSymbols symbols;
  std::vector<DumpedTask> tasks;
  std::vector<UnwoundStack> stacks;  // of the task with the same index; of a running one empty
  std::vector<DumpedLock> locks;
  std::uint64_t total_pages = 0;  // RAM of the machine, 0 when unknown
  LockSnapshot snapshot;
  std::vector<std::string> missing;  // what could not be read, one sentence each
};

// Pure apart from `memory` and the files named.
Result<Vmcore> read_vmcore(const KernelMemory& memory, const Vmcoreinfo& info,
                           const VmcoreSources& sources);

}  // namespace stallproof
