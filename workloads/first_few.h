// SPDX-License-Identifier: Apache-2.0
// A load that meets the same trouble a million times tells the first few: one line each on stderr,
// all of them counted elsewhere. Any thread.
#pragma once

#include <atomic>
#include <cstdio>
#include <string>

#include "harness/base/one_line.h"

namespace stallproof {

class FirstFew {
 public:
  static constexpr unsigned kTold = 5;

  // True while a line may still be told; then the caller makes one.
  [[nodiscard]] bool wanted() { return told_.load(std::memory_order_relaxed) < kTold; }
  void tell(const std::string& line) {
    const unsigned number = told_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (number > kTold) return;
    std::fprintf(stderr, "%s%s\n", on_one_line(line).c_str(),
                 number == kTold ? " (further ones are only counted)" : "");
  }

 private:
  std::atomic<unsigned> told_ = 0;
};

}  // namespace stallproof
