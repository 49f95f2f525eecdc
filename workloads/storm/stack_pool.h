// SPDX-License-Identifier: Apache-2.0
// Threads on stacks of ours, mapped once: their births and deaths make no mmap, munmap, mprotect or
// madvise of the C library, only clone and exit. Stacks are used again once the kernel has let go
// of the thread before.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"

namespace stallproof {

class StackPool {
 public:
  // A body is told which thread it is; it must end by returning.
  using Body = void (*)(void* context, std::uint32_t thread);

  StackPool() = default;
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  ~StackPool();
  // Before any thread: room for so many at once, and some that are just leaving.
  Result<> prepare(std::size_t threads, Body body, void* context);

  // 0, or the errno of pthread_create; EAGAIN when no stack came free within 100 ms. Any thread.
  int start(std::uint32_t thread);
  // Waits until every thread has ended. False at the deadline.
  bool join_all(Deadline deadline);

 private:
  struct Berth {
    StackPool* pool = nullptr;
    std::byte* stack = nullptr;
    pthread_t handle{};
    std::uint32_t thread = 0;
  };
  static void* enter(void* berth);
  Berth* take();
  Berth* take_free();
  void reap();

  Body body_ = nullptr;
  void* context_ = nullptr;
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
  std::unique_ptr<Berth[]> berths_;
  std::mutex mutex_;
  std::vector<Berth*> free_, leaving_;  // never grow: reserved for all
  std::size_t running_ = 0;
};

}  // namespace stallproof
