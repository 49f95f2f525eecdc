// SPDX-License-Identifier: Apache-2.0
// The mprotect calls of a JVM, as measured of vdbench's slave on JDK 17: mostly glibc's arenas that
// grow for its compiler threads, then guard zones of threads and relocated data made read-only.
// One thread. Used by the profiles jvm-start and jvm-steady and by the JVM beside vdbench's I/O.
#pragma once

#include <span>

#include "harness/base/prng.h"
#include "workloads/storm/memory_call.h"
#include "workloads/storm/pace.h"
#include "workloads/storm/reserved_memory.h"

namespace stallproof {

// Of a thousand calls, this many have this size and protection. bytes == 0: any of the other sizes.
struct CallShare {
  std::size_t bytes = 0;
  int protection = PROT_NONE;
  unsigned per_mille = 0;
};

std::span<const CallShare> jvm_start_mix();
std::span<const CallShare> jvm_steady_mix();

// Draws calls of a mix on an arena of its own.
class JvmMemory {
 public:
  static Result<JvmMemory> reserve();
  // Not always an mprotect: a full arena is given back by one mmap before the next call.
  MemoryCall next(Prng& prng, std::span<const CallShare> mix);

 private:
  MemoryCall place(std::size_t bytes, int protection);

  ReservedMemory arena_;
  std::size_t used_ = 0;
  MemoryCall postponed_{};
};

// Which mix a JVM is in and when its next call is due.
class JvmCourse {
 public:
  // `sharers` threads make the calls of one JVM together; start: the course begins with its start.
  JvmCourse(bool start, unsigned sharers);
  // Where a load was told another pace, it holds from the first call on.
  static Result<JvmCourse> of(const Settings& settings, bool start, unsigned sharers);

  [[nodiscard]] std::span<const CallShare> mix() const;
  // Of the next call, which is counted by this.
  Nanos next_due(Nanos now, Prng& prng);

 private:
  unsigned start_calls_left_ = 0;
  Pace start_;
  Pace steady_;
};

}  // namespace stallproof
