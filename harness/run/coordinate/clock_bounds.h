// SPDX-License-Identifier: Apache-2.0
// How far two clocks are apart, from what can only have happened in one order: a stamp that one
// side wrote and the other has read is older than the reading. Nanoseconds; pure.
#pragma once

#include <cstdint>
#include <optional>

#include "harness/base/clock.h"

namespace stallproof {

// Of (the other clock - our clock).
class ClockBounds {
 public:
  // The other wrote `stamp` by its clock before our clock showed `now`.
  void other_before(Nanos stamp, Nanos now) { at_least(difference(stamp, now)); }
  // The other's clock showed `stamp` after ours showed `then`.
  void other_after(Nanos stamp, Nanos then) { at_most(difference(stamp, then)); }

  [[nodiscard]] bool known() const { return least_ && most_; }
  // The middle of what is possible, and how far the truth may be from it. Only when known.
  [[nodiscard]] std::int64_t offset() const { return *least_ + (*most_ - *least_) / 2; }
  [[nodiscard]] std::int64_t error() const { return (*most_ - *least_ + 1) / 2; }
  // What cannot be less: 0 where the clocks may be alike.
  [[nodiscard]] std::int64_t apart_at_least() const;
  [[nodiscard]] const std::optional<std::int64_t>& least() const { return least_; }
  [[nodiscard]] const std::optional<std::int64_t>& most() const { return most_; }

 private:
  static std::int64_t difference(Nanos one, Nanos other) {
    return static_cast<std::int64_t>(one) - static_cast<std::int64_t>(other);
  }
  void at_least(std::int64_t offset);
  void at_most(std::int64_t offset);

  std::optional<std::int64_t> least_, most_;
};

}  // namespace stallproof
