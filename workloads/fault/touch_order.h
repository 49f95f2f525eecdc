// SPDX-License-Identifier: Apache-2.0
// Which pages a thread touches, and in what order: window by window, and page by page in each
// window. A window is what is dropped from the mapping at once. One thread; pure.
#pragma once

#include <cstdint>

#include "harness/base/prng.h"

namespace stallproof {

enum class PageOrder { sequential, random, strided };

struct TouchPlan {
  std::uint64_t first_page = 0;
  std::uint64_t windows = 1;  // in all; at least one for each thread, unless they are shared
  std::uint64_t window = 1;   // pages
  unsigned threads = 1;
  bool shared = false;  // every thread touches all windows
  PageOrder order = PageOrder::random;
  std::uint64_t stride = 1;  // of PageOrder::strided, in pages
};

class TouchOrder {
 public:
  TouchOrder(const TouchPlan& plan, unsigned index, std::uint64_t seed);

  // Begins the next window; its first page in the file.
  std::uint64_t begin_window();
  // Touches in the window that has begun: every page once, or every stride-th.
  [[nodiscard]] std::uint64_t touches() const { return touches_; }
  // The next page in the file; not more often than touches().
  std::uint64_t next_page() {
    const std::uint64_t page = start_ + position_;
    position_ += step_;
    if (position_ >= plan_.window) position_ -= plan_.window;
    return page;
  }

 private:
  std::uint64_t next_window();
  void shuffle();

  TouchPlan plan_;
  std::uint64_t index_;
  std::uint64_t own_;  // windows of this thread
  Prng prng_;
  std::uint64_t turn_ = 0;   // of sequential and strided: the next own window
  std::uint64_t shift_ = 0;  // of strided: passes made, so that every page has its turn
  std::uint64_t start_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t step_ = 1;
  std::uint64_t touches_ = 0;
};

}  // namespace stallproof
