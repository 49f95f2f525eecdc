// SPDX-License-Identifier: Apache-2.0
// The modules of a dump: where their code lies, their functions, their ORC tables.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/explain/vmcore/kernel_btf.h"
#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/orc.h"
#include "harness/explain/vmcore/symbol_book.h"

namespace stallproof {

struct LoadedModule {
  std::string name;
  std::uint64_t code = 0;
  std::uint64_t code_bytes = 0;
  OrcTable orc;
};

// Functions go into `book`, what could not be read into `missing`, one sentence each. `folder`, if
// not empty: where the .ko files lie, of which those are read whose own table is missing.
std::vector<LoadedModule> read_modules(const KernelMemory& memory, const KernelBtf& btf,
                                       const std::string& folder, SymbolBook& book,
                                       std::vector<std::string>& missing);

}  // namespace stallproof
