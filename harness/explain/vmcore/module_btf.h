// SPDX-License-Identifier: Apache-2.0
// The types of a module, from the copy of its BTF that the kernel keeps (kernel/bpf/btf.c, list
// btf_modules, 5.11 to 6.18): for what is a module on distributions' kernels, such as FUSE.
#pragma once

#include <string_view>

#include "harness/base/result.h"
#include "harness/explain/vmcore/kernel_btf.h"
#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/symbol_book.h"

namespace stallproof {

// `kernel` must outlive the result.
Result<KernelBtf> read_module_btf(const KernelMemory& memory, const KernelBtf& kernel,
                                  const SymbolBook& book, std::string_view module);

}  // namespace stallproof
