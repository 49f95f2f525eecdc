// SPDX-License-Identifier: Apache-2.0
// For a process that fills tens of MiB with small pieces and buffers that come and go, and ends:
// what memory it has it keeps, of large pages where the kernel may. Else page faults can be half of
// its time. Once, before threads.
#pragma once

namespace stallproof {

// Does nothing under a sanitizer or without glibc.
void take_memory_in_large_pages();

}  // namespace stallproof
