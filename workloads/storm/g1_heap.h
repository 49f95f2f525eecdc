// SPDX-License-Identifier: Apache-2.0
// The calls by which G1 (JDK 17, measured) grows and shrinks its heap: mmap at fixed addresses
// commits memory or takes it back, mostly in single pages (cards and bitmaps), rarely mprotect of
// one page and madvise of 6 MiB. That 16 KiB, 1 MiB and 2 MiB occur is measured, their shares
// among the commits are not. One thread.
#pragma once

#include <array>

#include "harness/base/prng.h"
#include "workloads/storm/memory_call.h"
#include "workloads/storm/reserved_memory.h"

namespace stallproof {

class G1Heap {
 public:
  static constexpr unsigned kMprotectPerMille = 28;  // 51 of 1800 calls a second
  static constexpr unsigned kMadvisePerMille = 2;

  static Result<G1Heap> reserve();
  MemoryCall next(Prng& prng);

 private:
  // Memory of one unit size, committed from its beginning to its end and then taken back from its
  // end to its beginning, as a heap grows and shrinks.
  struct Area {
    std::byte* at = nullptr;
    std::size_t unit = 0;
    std::size_t units = 0;
    std::size_t committed = 0;
    bool growing = true;
    MemoryCall next();
  };
  MemoryCall grow_metaspace();

  ReservedMemory memory_;
  std::array<Area, 4> areas_{};
  std::byte* metaspace_ = nullptr;
  std::size_t metaspace_used_ = 0;
};

}  // namespace stallproof
