// SPDX-License-Identifier: Apache-2.0
// What a JVM does to its memory map beside the I/O, as measured of vdbench's slave on JDK 17: some
// 400 mprotect in its first half second, then 2 to 4 a second, mostly of glibc's arenas growing for
// its compiler threads. Each takes mmap_lock for write, in the same mm as the I/O.
#pragma once

#include <cstdint>

#include "workloads/io/io_context.h"

namespace stallproof {

// A thread's whole life; ends with the run. Its memory is its own.
void run_jvm_thread(const IoContext& context, std::uint64_t seed);

}  // namespace stallproof
