// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_context.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace stallproof {
namespace {

constexpr Nanos kLookAtPhase = 20 * kMillisecond;

}  // namespace

void IoContext::clear_slots() {
  for (BoardSlot& slot : board.slots()) {
    slot.op_started_ns.store(0, std::memory_order_relaxed);
    slot.tid.store(0, std::memory_order_release);
  }
}

bool IoContext::wait_for_run(std::span<BoardSlot> slots) {
  const auto tid = static_cast<std::uint32_t>(::syscall(SYS_gettid));
  for (BoardSlot& slot : slots) {
    slot.left.store(0, std::memory_order_relaxed);
    slot.tid.store(tid, std::memory_order_release);
  }
  while (board.phase() == Phase::prepare && !ended.load(std::memory_order_relaxed))
    board.wait_phase_change(Phase::prepare, Deadline::in(kSecond / 10));
  return !stopping();
}

void IoContext::refuse(const Error& error) {
  const std::lock_guard<std::mutex> hold(lock_);
  if (!refusal_) refusal_ = error;
}

std::optional<Error> IoContext::refusal() {
  const std::lock_guard<std::mutex> hold(lock_);
  return refusal_;
}

void IoContext::sleep_until(Nanos until) const {
  for (;;) {
    const Nanos now = monotonic_now();
    if (now >= until || stopping()) return;
    const Nanos wake = std::min(until, now + kLookAtPhase);
    const timespec at{static_cast<time_t>(wake / kSecond), static_cast<long>(wake % kSecond)};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
  }
}

}  // namespace stallproof
