// SPDX-License-Identifier: Apache-2.0
// Time as plain nanoseconds, comparable across our processes. Code that judges takes time as a
// parameter; only code that samples calls these.
#pragma once

#include <time.h>

#include <cstdint>

namespace stallproof {

using Nanos = std::uint64_t;

inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;

// CLOCK_MONOTONIC: the clock of every *_ns field on the board and in evidence. vDSO, no syscall.
inline Nanos monotonic_now() {
  timespec ts{};
  ::clock_gettime(CLOCK_MONOTONIC, &ts);
  return static_cast<Nanos>(ts.tv_sec) * kSecond + static_cast<Nanos>(ts.tv_nsec);
}

// CLOCK_REALTIME: only for what people read (RFC 3339 stamps).
inline Nanos realtime_now() {
  timespec ts{};
  ::clock_gettime(CLOCK_REALTIME, &ts);
  return static_cast<Nanos>(ts.tv_sec) * kSecond + static_cast<Nanos>(ts.tv_nsec);
}

// CLOCK_BOOTTIME: what kernel log stamps are closest to and FUSE request ages are read in.
inline Nanos boottime_now() {
  timespec ts{};
  ::clock_gettime(CLOCK_BOOTTIME, &ts);
  return static_cast<Nanos>(ts.tv_sec) * kSecond + static_cast<Nanos>(ts.tv_nsec);
}

// A point in time to give up at. Every wait takes one.
class Deadline {
 public:
  explicit Deadline(Nanos at) : at_(at) {}
  static Deadline in(Nanos span) { return Deadline{monotonic_now() + span}; }
  [[nodiscard]] Nanos at() const { return at_; }
  [[nodiscard]] bool passed() const { return monotonic_now() >= at_; }
  // Time left in milliseconds, rounded up, for poll(2); 0 when passed.
  [[nodiscard]] int poll_ms() const {
    const Nanos now = monotonic_now();
    if (now >= at_) return 0;
    const Nanos ms = (at_ - now + kMillisecond - 1) / kMillisecond;
    return ms > 3'600'000 ? 3'600'000 : static_cast<int>(ms);
  }

 private:
  Nanos at_;
};

}  // namespace stallproof
