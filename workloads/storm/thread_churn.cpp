// SPDX-License-Identifier: Apache-2.0
// Profile thread-churn: threads of the load start one thread after another and wait for its end.
// Each new thread does at the bottom of its own stack what a Java thread does in its life (traced,
// JDK 17): commits and guards its guard zone, gives it back and discards the stack. So each takes
// mmap_lock for write three times and for read once, always another thread.
//
// Stacks are ours: glibc then neither guards them nor discards them by itself at the thread's end
// (allocate_stack and advise_stack_range, nptl/allocatestack.c, 2.36), and the calls above are all.
#include <fmt/format.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "workloads/storm/reserved_memory.h"
#include "workloads/storm/storm_caller.h"
#include "workloads/storm/storm_profiles.h"

namespace stallproof {
namespace {

constexpr std::size_t kGuardZone = 16 * kKiB;
// Kept above the stack pointer's page when a stack is discarded: as glibc does for Java's threads.
constexpr std::size_t kKept = 16 * kKiB;
constexpr std::size_t kLeastStack = 128 * kKiB;
constexpr std::size_t kMostStack = 1024 * kMiB;

// Of the thread that lives now. It owns the spawner's slot until it ends, and then hands it back.
struct Life {
  StormCaller& caller;
  std::byte* stack;
};

std::uint32_t own_tid() { return static_cast<std::uint32_t>(::syscall(SYS_gettid)); }

// Bytes at the bottom of the stack that the caller does not use.
std::size_t unused_bytes(const Life& life) {
  const auto* const here = static_cast<const std::byte*>(__builtin_frame_address(0));
  const auto used_from = static_cast<std::size_t>(here - life.stack) / kPageBytes * kPageBytes;
  return used_from - kKept;
}

void* live(void* argument) {
  const Life& life = *static_cast<const Life*>(argument);
  StormCaller& caller = life.caller;
  OpSeries& ops = caller.ops();
  const std::uint32_t spawner = ops.slot().tid.load(std::memory_order_relaxed);
  ops.slot().tid.store(own_tid(), std::memory_order_relaxed);
  ops.end(true);
  caller.make(commit(life.stack, kGuardZone));
  caller.make(protect(life.stack, kGuardZone, PROT_NONE));
  caller.make(uncommit(life.stack, kGuardZone));
  caller.make(discard(life.stack, unused_bytes(life)));
  ops.slot().tid.store(spawner, std::memory_order_relaxed);
  ops.begin(Op::thread_end, reinterpret_cast<std::uint64_t>(life.stack));
  return nullptr;
}

class ThreadChurn : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;
  void cleanup() noexcept override { stacks_.clear(); }

 private:
  void spawn(StormCaller& caller, const pthread_attr_t& attributes, std::byte* stack);

  Pace pace_;
  std::uint64_t stack_size_ = 0;
  std::vector<ReservedMemory> stacks_;
  CallFailures failures_;
};

Result<> ThreadChurn::configure(const LoadContext& load) {
  auto pace = Pace::of(load.settings, {}, 1, "birth-rate");
  if (!pace) return Failure{pace.error()};
  pace_ = *pace;
  const auto size = load.settings.size("stack-size", kMiB);
  if (!size) return Failure{size.error()};
  if (*size < kLeastStack || *size > kMostStack || *size % kPageBytes != 0)
    return fail(fmt::format("stack-size: {} is not a multiple of 4KiB between 128KiB and 1GiB",
                            load.settings.text("stack-size", "")));
  stack_size_ = *size;
  return {};
}

Result<> ThreadChurn::prepare(const LoadContext& load) {
  if (auto read = configure(load); !read) return read;
  for (unsigned i = 0; i < load.threads; ++i) {
    auto stack =
        ReservedMemory::map(stack_size_, PROT_READ | PROT_WRITE, kReserveFlags | MAP_STACK);
    if (!stack) return Failure{stack.error()};
    stacks_.push_back(std::move(*stack));
  }
  return {};
}

// One life. The new thread ends the operation that starts it and begins the one that ends it; in
// between the spawner leaves the slot alone.
void ThreadChurn::spawn(StormCaller& caller, const pthread_attr_t& attributes, std::byte* stack) {
  Life life{caller, stack};
  caller.ops().begin(Op::thread_start, reinterpret_cast<std::uint64_t>(stack));
  pthread_t thread{};
  if (const int error = ::pthread_create(&thread, &attributes, live, &life); error != 0) {
    caller.ops().end(false, error);
    caller.survive(Op::thread_start, error);
    return;
  }
  ::pthread_join(thread, nullptr);
  caller.ops().end(true);
}

Result<> ThreadChurn::run(WorkerContext& ctx) {
  if (!pace_.unlimited()) keep_exact_time();
  const ReservedMemory& stack = stacks_[ctx.index];
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  if (const int error = ::pthread_attr_setstack(&attributes, stack.at(), stack.bytes()); error != 0)
    return fail_errno("mprotect-storm: set the stack of new threads", error);
  Prng prng(ctx.seed);
  Pace pace = pace_;
  StormCaller caller(ctx, failures_);
  while (caller.wait(pace, prng)) spawn(caller, attributes, stack.at());
  ::pthread_attr_destroy(&attributes);
  return {};
}

}  // namespace

std::unique_ptr<Workload> make_thread_churn();
std::unique_ptr<Workload> make_thread_churn() { return std::make_unique<ThreadChurn>(); }

}  // namespace stallproof
