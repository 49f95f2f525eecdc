// SPDX-License-Identifier: Apache-2.0
// Threads that take turns on two locks of user space. Once the run is armed, thread 0 keeps the
// first one, or threads 0 and 1 take them in opposite order: the others sleep in futex(2), and no
// list of the kernel says for whom.
#include <array>

#include "workloads/catalogue.h"
#include "workloads/victim/arming.h"
#include "workloads/victim/futex_mutex.h"

namespace stallproof {
namespace {

// Between two ops, lest they do nothing but wait for each other.
constexpr Nanos kThink = kMillisecond;
// With one lock in hand, so that two threads in opposite order meet.
constexpr Nanos kBetweenLocks = 5 * kMillisecond;
// A deadlock in user space ends by nobody's hand: its two threads look up whether the run is over.
constexpr timespec kLookUp{0, 250'000'000};

class FutexLock : public Workload {
 public:
  Result<> configure(const LoadContext& load) override;
  Result<> prepare(const LoadContext& load) override;
  Result<> run(WorkerContext& ctx) override;

 private:
  void take_turn(WorkerContext& ctx);
  void keep(WorkerContext& ctx);
  void take_crosswise(WorkerContext& ctx);
  void work();

  bool crosswise_ = false;
  Nanos lasts_ = 0;
  std::array<FutexMutex, 2> locks_;
  std::uint64_t guarded_ = 0;  // by both locks
};

Result<> FutexLock::prepare(const LoadContext& load) { return configure(load); }

Result<> FutexLock::configure(const LoadContext& load) {
  const auto mode = load.settings.choice("lock-armed", "kept", {"kept", "crosswise"});
  if (!mode) return Failure{mode.error()};
  const auto lasts = load.settings.duration("lock-lasts", 0);
  if (!lasts) return Failure{lasts.error()};
  crosswise_ = *mode == "crosswise";
  if (crosswise_ && load.threads < 2) return fail("threads: lock-armed=crosswise takes 2 at least");
  lasts_ = *lasts;
  return {};
}

Result<> FutexLock::run(WorkerContext& ctx) {
  while (!ctx.stopping()) {
    const bool astray = ctx.index < (crosswise_ ? 2U : 1U) && misbehaves(ctx, lasts_);
    if (!astray)
      take_turn(ctx);
    else if (crosswise_)
      take_crosswise(ctx);
    else
      keep(ctx);
    ctx.pause(kThink);
  }
  return {};
}

void FutexLock::work() {
  for (int i = 0; i < 1000; ++i) guarded_ = guarded_ * 6364136223846793005ULL + 1;
}

void FutexLock::take_turn(WorkerContext& ctx) {
  OpScope op(ctx.slot, Op::lock, 0);
  locks_[0].lock();
  locks_[1].lock();
  work();
  locks_[1].unlock();
  locks_[0].unlock();
}

void FutexLock::keep(WorkerContext& ctx) {
  OpScope op(ctx.slot, Op::lock, 0);
  locks_[0].lock();
  while (misbehaves(ctx, lasts_)) ctx.pause(kMillisecond * 20);
  locks_[0].unlock();
}

// Until both meet, which is at once.
void FutexLock::take_crosswise(WorkerContext& ctx) {
  OpScope op(ctx.slot, Op::lock, 0);
  FutexMutex& first = locks_[ctx.index];
  FutexMutex& second = locks_[1 - ctx.index];
  const auto over = [&] { return !misbehaves(ctx, lasts_); };
  if (!first.lock_unless(over, &kLookUp)) return op.failed(ErrorKind::busy);
  ctx.pause(kBetweenLocks);
  if (second.lock_unless(over, &kLookUp)) {
    work();
    second.unlock();
  } else {
    op.failed(ErrorKind::busy);
  }
  first.unlock();
}

constexpr std::string_view kExercises[] = {"futex.wait"};
constexpr WorkloadParameter kParameters[] = {
    {"lock-armed", "kept",
     "once a scenario has armed it: kept: thread 0 keeps a lock; crosswise: threads 0 and 1 take "
     "two in opposite order"},
    {"lock-lasts", "0s", "how long that lasts; 0s: until the run ends"},
};

}  // namespace

WorkloadInfo futex_lock_workload();
WorkloadInfo futex_lock_workload() {
  return {.name = "futex-lock",
          .thread_prefix = "futex-lock",
          .summary = "threads take turns on locks of user space",
          .exercises = kExercises,
          .parameters = kParameters,
          .default_threads = 6,
          .unsupported = nullptr,
          .make = [] { return std::unique_ptr<Workload>(std::make_unique<FutexLock>()); }};
}

}  // namespace stallproof
