// SPDX-License-Identifier: Apache-2.0
#include "workloads/fault/touch_order.h"

#include <algorithm>
#include <numeric>

namespace stallproof {

TouchOrder::TouchOrder(const TouchPlan& plan, unsigned index, std::uint64_t seed)
    : plan_(plan),
      index_(index),
      own_(plan.shared ? plan.windows : plan.windows / plan.threads),
      prng_(seed) {
  // Threads that share all windows do not march through them side by side.
  if (plan_.shared) turn_ = plan_.windows / plan_.threads * index_;
}

// Each thread has windows of its own, unless they are shared: a page dropped by one thread between
// another's two tries is a real second try, which a healthy file system must not show.
std::uint64_t TouchOrder::next_window() {
  std::uint64_t own = 0;
  if (plan_.order == PageOrder::random) {
    own = prng_.below(own_);
  } else {
    const std::uint64_t step = plan_.order == PageOrder::strided
                                   ? std::max<std::uint64_t>(1, plan_.stride / plan_.window)
                                   : 1;
    own = turn_;
    turn_ += step;
    if (turn_ >= own_) {
      ++shift_;
      turn_ = std::min(shift_ % step, own_ - 1);
    }
  }
  return plan_.shared ? own : own * plan_.threads + index_;
}

// Every page once, in an order that readahead does not guess: a step that shares no factor with the
// window, from anywhere.
void TouchOrder::shuffle() {
  if (plan_.window == 1) return;
  position_ = prng_.below(plan_.window);
  do {
    step_ = 1 + prng_.below(plan_.window - 1);
  } while (std::gcd(step_, plan_.window) != 1);
}

std::uint64_t TouchOrder::begin_window() {
  const std::uint64_t pass = shift_;
  start_ = plan_.first_page + next_window() * plan_.window;
  position_ = 0;
  step_ = 1;
  touches_ = plan_.window;
  if (plan_.order == PageOrder::random) shuffle();
  if (plan_.order == PageOrder::strided) {
    step_ = std::min(plan_.stride, plan_.window);
    position_ = pass % step_;
    touches_ = (plan_.window - position_ + step_ - 1) / step_;
  }
  return start_;
}

}  // namespace stallproof
