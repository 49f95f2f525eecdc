// SPDX-License-Identifier: Apache-2.0
// One change of a memory map, as the generators of the profiles describe it and as it is made.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "harness/board/board.h"

namespace stallproof {

inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

// How a JVM gives address space back and keeps it.
inline constexpr int kReserveFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
inline constexpr int kCommitFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

struct MemoryCall {
  Op op = Op::mprotect;  // mprotect, mmap (at a fixed address) or madvise (MADV_DONTNEED)
  std::byte* at = nullptr;
  std::size_t bytes = 0;
  int protection = PROT_NONE;
  int flags = 0;  // of mmap

  [[nodiscard]] std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(at); }
};

inline MemoryCall protect(std::byte* at, std::size_t bytes, int protection) {
  return {Op::mprotect, at, bytes, protection, 0};
}
inline MemoryCall commit(std::byte* at, std::size_t bytes) {
  return {Op::mmap, at, bytes, PROT_READ | PROT_WRITE, kCommitFlags};
}
inline MemoryCall uncommit(std::byte* at, std::size_t bytes) {
  return {Op::mmap, at, bytes, PROT_NONE, kReserveFlags | MAP_FIXED};
}
inline MemoryCall discard(std::byte* at, std::size_t bytes) {
  return {Op::madvise, at, bytes, PROT_NONE, 0};
}

// 0, or the errno.
inline int perform(const MemoryCall& call) {
  int result = 0;
  if (call.op == Op::mprotect)
    result = ::mprotect(call.at, call.bytes, call.protection);
  else if (call.op == Op::madvise)
    result = ::madvise(call.at, call.bytes, MADV_DONTNEED);
  else if (::mmap(call.at, call.bytes, call.protection, call.flags, -1, 0) == MAP_FAILED)
    result = -1;
  return result == 0 ? 0 : errno;
}

}  // namespace stallproof
