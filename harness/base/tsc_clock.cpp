// SPDX-License-Identifier: Apache-2.0
#include "harness/base/tsc_clock.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr Nanos kTieHolds = kMillisecond;
// What lies between the two readings of a tie is its error; a thread that was not run meanwhile
// shows a long one.
constexpr std::uint64_t kCloseTicks = 4000;

// Without the heap: a thread's first allocation would map an arena, in a load on the memory map
// too.
bool ask_kernel() {
  const Fd file(::open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                       O_RDONLY | O_CLOEXEC));
  std::array<char, 16> name{};
  if (!file.valid() || ::read(file.get(), name.data(), name.size()) <= 0) return false;
  return std::string_view(name.data(), 4) == "tsc\n";
}

}  // namespace

bool TscClock::kernel_trusts_tsc() {
  static const bool trusted = ask_kernel();
  return trusted;
}

TscClock::TscClock(bool trusted) : trusted_(trusted) { last_ = tie(); }

Nanos TscClock::tie() {
  const std::uint64_t before = __builtin_ia32_rdtsc();
  const Nanos at = monotonic_now();
  const std::uint64_t after = __builtin_ia32_rdtsc();
  const bool close = after - before < kCloseTicks;
  if (trusted_ && close) learn_pace(before + (after - before) / 2, at);
  if (!close) horizon_ = 0;
  return at;
}

// From the first tie on: the longer the time between, the less the error of a tie counts.
void TscClock::learn_pace(std::uint64_t ticks, Nanos at) {
  tied_ticks_ = ticks;
  tied_ns_ = at;
  if (first_ns_ == 0) {
    first_ticks_ = ticks;
    first_ns_ = at;
  }
  const Nanos passed = at - first_ns_;
  if (passed < kTieHolds || ticks <= first_ticks_) return;
  __extension__ using Wide = unsigned __int128;
  per_tick_ =
      static_cast<std::uint64_t>((static_cast<Wide>(passed) << kShift) / (ticks - first_ticks_));
  if (per_tick_ != 0) horizon_ = (kTieHolds << kShift) / per_tick_;
}

}  // namespace stallproof
