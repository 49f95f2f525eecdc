// SPDX-License-Identifier: Apache-2.0
// Access to mapped file memory that survives SIGBUS, the kernel's answer to a fault the file system
// could not satisfy or that lies behind the end of the file (VM_FAULT_SIGBUS from filemap_fault,
// mm/filemap.c, 6.12), and SIGSEGV, the answer to a write where writing is forbidden and to a
// mapping that is gone. Any thread of the worker; blocks as long as the fault does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "harness/base/result.h"

namespace stallproof {

// Installs the handlers for the process, once, before the threads start. A signal outside the
// functions below still kills.
Result<> catch_fault_signals();

struct CaughtFault {
  int signal = 0;              // SIGBUS or SIGSEGV
  std::uintptr_t address = 0;  // of the access
};

// Calls work(argument). When an access of it fails, the rest of it is left out without destructors,
// so it holds no object that needs one; what it wrote to memory before a compiler barrier
// (std::atomic_signal_fence) stays. About 10 ns: one guard serves many accesses.
std::optional<CaughtFault> guarded_call(void (*work)(void*), void* argument);

// nullopt when all was copied; else the destination is partly written.
std::optional<CaughtFault> guarded_copy(std::byte* into, const std::byte* from, std::size_t size);

}  // namespace stallproof
