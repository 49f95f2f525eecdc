// SPDX-License-Identifier: Apache-2.0
// CLOCK_MONOTONIC by the processor's own counter, a third of the cost of the vDSO, which fences the
// counter and reads the kernel's page. Every reading is the counter's of that moment; it is tied to
// the kernel's clock again each millisecond, so the two differ by less than a microsecond.
//
// Where the kernel does not trust the counter (clocksource is not tsc) this is the kernel's clock.
// One thread at a time; a thread may move to another CPU meanwhile, as the kernel's own clock does.
#pragma once

#include <cstdint>

#include "harness/base/clock.h"

namespace stallproof {

class TscClock {
 public:
  explicit TscClock(bool trusted = kernel_trusts_tsc());

  // Never before an earlier answer.
  Nanos now() {
    const std::uint64_t passed = __builtin_ia32_rdtsc() - tied_ticks_;
    if (passed >= horizon_) [[unlikely]]
      return last_ = later(tie());
    __extension__ using Wide = unsigned __int128;
    return last_ = later(tied_ns_ +
                         static_cast<Nanos>((static_cast<Wide>(passed) * per_tick_) >> kShift));
  }

  // Asked of the kernel once in a process; false where it cannot be asked.
  static bool kernel_trusts_tsc();

 private:
  static constexpr unsigned kShift = 32;
  [[nodiscard]] Nanos later(Nanos at) const { return at > last_ ? at : last_; }
  // Reads both clocks; the answer is the kernel's.
  Nanos tie();
  void learn_pace(std::uint64_t ticks, Nanos at);

  std::uint64_t tied_ticks_ = 0;
  Nanos tied_ns_ = 0;
  std::uint64_t horizon_ = 0;   // ticks that a tie holds for; 0: each answer is the kernel's
  std::uint64_t per_tick_ = 0;  // ns in a tick, times 2^kShift
  Nanos last_ = 0;
  std::uint64_t first_ticks_ = 0;  // of the first tie
  Nanos first_ns_ = 0;
  bool trusted_;
};

}  // namespace stallproof
