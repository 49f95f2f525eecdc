// SPDX-License-Identifier: Apache-2.0
// The kernel's own symbol table as it lies in its memory (kernel/kallsyms.c, scripts/kallsyms.c,
// 4.6 to 6.14): names packed by a table of 256 tokens, lengths of one byte or, since 6.1, of two.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "harness/base/result.h"
#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/vmcoreinfo.h"

namespace stallproof {

struct KallsymsPlaces {
  std::uint64_t names = 0;
  std::uint64_t num_syms = 0;
  std::uint64_t token_table = 0;
  std::uint64_t token_index = 0;
  std::uint64_t offsets = 0;
  std::uint64_t relative_base = 0;
  std::uint64_t stext = 0;  // what _stext must come out as; tells how offsets are meant

  // nullopt before 6.0 and where VMCOREINFO is damaged.
  static std::optional<KallsymsPlaces> of(const Vmcoreinfo& info);
};

// (address, type letter as in /proc/kallsyms, name); the name lives as long as the call.
using EachSymbol = std::function<void(std::uint64_t, char, std::string_view)>;

// An Error when a table is missing from the dump, damaged, or of a form not known: then what was
// told before must be thrown away.
Result<> read_kallsyms(const KernelMemory& memory, const KallsymsPlaces& places,
                       const EachSymbol& each);

}  // namespace stallproof
