// SPDX-License-Identifier: Apache-2.0
// A map profile: what one process did to its memory map, as a text file that can be replayed.
//
//   stallproof-map-profile 1
//   comm java
//   kernel 6.18.44
//   started 2026-11-25T20:01:18.000+00:00
//   duration_us 10000213
//   threads 8123            distinct ones that made a call; numbered from 0 by first appearance
//   calls 40612             lines that follow; fewer is a damaged file
//   lost 0                  calls that are missing because there was no room for them
//   failed 3                calls that the kernel refused: left out
//   left_out 1              processes that it started: each has a memory map of its own
//   time_us thread call address length prot flags
//   1042 0 mmap 0x7f21c8000000 1048576 rw private|anonymous|stack
//   1071 0 clone - - - 0x3d0f00 child=1
//   1099 1 mprotect 0x7f21c8000000 16384 none -
//
// Times are those of the return of a call, from `started` on. The last column of madvise is its
// advice. brk has the new end as its address; mremap has `from=ADDRESS+LENGTH`. A clone without
// `child=` made a process.
//
// Pure functions; read_map_profile() blocks on its file. Errors are `FILE:LINE: …`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "workloads/storm/map_call.h"

namespace stallproof {

inline constexpr std::size_t kMaxProfileCalls = 2'000'000;
inline constexpr std::size_t kMaxProfileBytes = 256U << 20U;
inline constexpr std::uint32_t kMaxProfileThreads = 1U << 20U;
// A year.
inline constexpr std::uint64_t kMaxProfileMicros = 31'536'000'000'000ULL;
// The end of user space with four-level page tables.
inline constexpr std::uint64_t kMapEnd = 1ULL << 47U;

inline constexpr std::uint32_t kNoThread = ~0U;

struct MapOperation {
  std::uint64_t at_us = 0;
  std::uint64_t address = 0;  // bytes, a multiple of the page size but for brk
  std::uint64_t length = 0;   // bytes, as it was given: not rounded
  std::uint64_t flags = 0;    // of mmap, mremap or clone; advice of madvise
  std::uint64_t from_address = 0, from_length = 0;  // mremap
  std::uint32_t thread = 0;
  std::uint32_t child = kNoThread;  // clone of a thread
  std::uint32_t prot = 0;
  MapCall call = MapCall::mmap;
  bool operator==(const MapOperation&) const = default;
};

struct MapProfile {
  std::string comm, kernel, started;
  std::uint64_t duration_us = 0;
  std::uint32_t threads = 0;
  std::uint64_t lost = 0, failed = 0, left_out = 0;
  std::vector<MapOperation> operations;
};

// `name` is what errors call the text.
Result<MapProfile> parse_map_profile(std::string_view text, const std::string& name);
Result<MapProfile> read_map_profile(const std::string& path);
std::string format_map_profile(const MapProfile& profile);

// Why the profile's threads cannot have made operation `at` after those before it (born twice, a
// call after its exit, …); empty when they can. `alive` has an entry for each thread.
enum class ThreadLife : std::uint8_t { unseen, alive, over };
std::string thread_contradiction(const MapOperation& operation, std::vector<ThreadLife>& lives);

}  // namespace stallproof
