// SPDX-License-Identifier: Apache-2.0
#include "harness/base/large_pages.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace stallproof {

void take_memory_in_large_pages() {
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
  constexpr int kRoom = 32 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kRoom);
  ::mallopt(M_TRIM_THRESHOLD, 2 * kRoom);
  ::mallopt(M_TOP_PAD, kRoom);
  constexpr std::size_t kMoreThanIsFree = 8U << 20U;
  const std::unique_ptr<char[]> first(new char[kMoreThanIsFree]);
  constexpr std::uintptr_t kLargePage = 2U << 20U;
  const auto from =
      (reinterpret_cast<std::uintptr_t>(first.get()) + kLargePage - 1) / kLargePage * kLargePage;
  const auto to = reinterpret_cast<std::uintptr_t>(::sbrk(0)) / kLargePage * kLargePage;
  if (to > from && to - from <= 2 * kRoom)
    ::madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
#endif
}

}  // namespace stallproof
