// SPDX-License-Identifier: Apache-2.0
// The seam of a load generator: prepare once, run in every thread, clean up once. All threads of a
// load belong to one worker process, so they share its mmap_lock with the other loads there.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "harness/base/result.h"
#include "harness/base/settings.h"
#include "harness/board/board.h"

namespace stallproof {

// What a load is told before its threads exist.
struct LoadContext {
  std::string file;   // the file under test
  Settings settings;  // every parameter of the workload is present
  unsigned threads = 0;
};

// What one thread of a load is given. It is the only writer of its slot.
struct WorkerContext {
  BoardSlot& slot;
  unsigned index = 0;  // among the threads of this load
  std::uint64_t seed = 0;
  const Board& board;
  const std::atomic<bool>& ended;  // the load is off, for now or for good

  [[nodiscard]] bool stopping() const {
    return board.phase() == Phase::stop || ended.load(std::memory_order_relaxed);
  }
  // Sleeps, but no longer than until shortly after stopping() turns true.
  void pause(Nanos span) const;
};

class Workload {
 public:
  virtual ~Workload() = default;
  // Reads the parameters, which prepare() does by it. An error begins with the parameter that is
  // wrong ("io-size: ...") or with "threads: ". Pure, and asked of loads that are never prepared:
  // a plan is checked by it, before there is a file.
  virtual Result<> configure(const LoadContext& /*load*/) { return {}; }
  // Main thread of the worker process, before the ready report: opens and maps what the threads
  // need. May block on the file under test, which is healthy then.
  virtual Result<> prepare(const LoadContext& load) = 0;
  // In each thread, whenever its load is on; returns soon after ctx.stopping(), or never when an
  // operation never completes. Every operation is inside an OpScope. A failed operation is counted
  // in the slot and survived; an Error is for what makes going on pointless.
  virtual Result<> run(WorkerContext& ctx) = 0;
  // Main thread, only when every thread has returned from run().
  virtual void cleanup() noexcept {}
};

// For counters of a slot: one writer, so no read-modify-write.
inline void count_one(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// Pause after a failed operation, lest a dead file system turn a load into a busy loop.
inline constexpr Nanos kPauseAfterFailure = kMillisecond;

}  // namespace stallproof
