// SPDX-License-Identifier: Apache-2.0
// A copy of this program in memory that nobody can change: a process started from it needs no disk
// for its code. Shared libraries, where there are any, stay where they are.
#pragma once

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

// Reads the program's file, so: before load starts, never while something is stuck. An Error before
// 3.17 and where the machine forbids programs in memory (vm.memfd_noexec = 2).
Result<Fd> seal_copy_of_program();
// Whether this very process runs from such a copy.
bool runs_from_sealed_copy();

}  // namespace stallproof
