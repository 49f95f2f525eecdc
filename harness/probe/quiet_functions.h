// SPDX-License-Identifier: Apache-2.0
// Where in the kernel a task may sleep in D for as long as it likes and nothing is wrong: the
// parent of a vfork until its child execs, a task in the freezer. open() reads /proc/kallsyms (some
// 50 ms): before load starts; contains() is for the watchdog's loop.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace stallproof {

class QuietFunctions {
 public:
  // Where the addresses are hidden it knows none.
  void open(const std::string& path = "/proc/kallsyms");
  [[nodiscard]] bool contains(std::uint64_t return_address) const;
  [[nodiscard]] std::size_t known() const { return known_; }

 private:
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  void take_line(std::string_view line);

  static constexpr std::size_t kMost = 8;
  std::array<Range, kMost> ranges_{};
  std::size_t known_ = 0;
  bool open_ended_ = false;  // the last range ends where the next function begins
};

}  // namespace stallproof
