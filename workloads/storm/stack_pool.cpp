// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/stack_pool.h"

#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>

namespace stallproof {
namespace {

constexpr std::size_t kStackBytes = 128U << 10U;
constexpr std::size_t kLeaving = 64;
constexpr Nanos kStackWithin = 100 * kMillisecond;

}  // namespace

Result<> StackPool::prepare(std::size_t threads, Body body, void* context) {
  body_ = body;
  context_ = context;
  // A second arena would be mapped, protected and trimmed by malloc among the calls that are ours.
  ::mallopt(M_ARENA_MAX, 1);
  const std::size_t count = threads + kLeaving;
  bytes_ = count * kStackBytes;
  void* const memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return fail_errno(fmt::format("map stacks of {} threads", count), errno);
  memory_ = memory;
  berths_ = std::make_unique<Berth[]>(count);
  free_.reserve(count);
  leaving_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    berths_[i].pool = this;
    berths_[i].stack = static_cast<std::byte*>(memory) + i * kStackBytes;
    free_.push_back(&berths_[i]);
  }
  return {};
}

StackPool::~StackPool() {
  if (memory_ != nullptr) ::munmap(memory_, bytes_);
}

void* StackPool::enter(void* given) {
  Berth& berth = *static_cast<Berth*>(given);
  StackPool& pool = *berth.pool;
  pool.body_(pool.context_, berth.thread);
  const std::lock_guard lock(pool.mutex_);
  pool.leaving_.push_back(&berth);
  return nullptr;
}

// With the lock. Never waits: a thread that leaves may be held up in the kernel.
void StackPool::reap() {
  std::erase_if(leaving_, [this](Berth* berth) {
    if (::pthread_tryjoin_np(berth->handle, nullptr) != 0) return false;
    free_.push_back(berth);
    --running_;
    return true;
  });
}

StackPool::Berth* StackPool::take_free() {
  const std::lock_guard lock(mutex_);
  if (free_.size() < kLeaving / 2 || free_.empty()) reap();
  if (free_.empty()) return nullptr;
  Berth* const berth = free_.back();
  free_.pop_back();
  ++running_;
  return berth;
}

StackPool::Berth* StackPool::take() {
  const Deadline deadline = Deadline::in(kStackWithin);
  Berth* berth = take_free();
  for (; berth == nullptr && !deadline.passed(); berth = take_free()) ::poll(nullptr, 0, 1);
  return berth;
}

int StackPool::start(std::uint32_t thread) {
  Berth* const berth = take();
  if (berth == nullptr) return EAGAIN;
  berth->thread = thread;
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstack(&attributes, berth->stack, kStackBytes);
  // The handle is written before the thread runs (pthread_create, glibc), so its own last act sees
  // it.
  const int error = ::pthread_create(&berth->handle, &attributes, &StackPool::enter, berth);
  ::pthread_attr_destroy(&attributes);
  if (error == 0) return 0;
  const std::lock_guard lock(mutex_);
  free_.push_back(berth);
  --running_;
  return error;
}

bool StackPool::join_all(Deadline deadline) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      reap();
      if (running_ == 0) return true;
    }
    if (deadline.passed()) return false;
    ::poll(nullptr, 0, 1);
  }
}

}  // namespace stallproof
