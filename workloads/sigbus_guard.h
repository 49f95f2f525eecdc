// SPDX-License-Identifier: Apache-2.0
// Reads of mapped file memory that survive SIGBUS, the kernel's answer to a fault the file system
// could not satisfy (VM_FAULT_SIGBUS from filemap_fault, mm/filemap.c, 6.12). Any thread of the
// worker; blocks as long as the fault does.
#pragma once

#include <cstddef>

#include "harness/base/result.h"

namespace stallproof {

// Installs the handler for the process, once, before the threads start. A SIGBUS outside the two
// functions below still kills.
Result<> catch_sigbus();

// Reads one byte; false when the fault ended in SIGBUS.
bool guarded_touch(const std::byte* at);
// false when any part ended in SIGBUS; `into` is then partly written.
bool guarded_copy(std::byte* into, const std::byte* from, std::size_t size);

}  // namespace stallproof
