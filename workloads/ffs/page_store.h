// SPDX-License-Identifier: Apache-2.0
// All the memory that the files of a tree may use: pages of one address range that is reserved
// when the store is made and touched only as pages are written. Pages given back are used again
// first, so the process never holds more than the bound. Any thread; never blocks longer than its
// mutex. Must outlive every page it handed out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

class PageStore {
 public:
  static constexpr std::size_t kPage = 4096;

  // `bytes` is rounded down to pages. Refuses less than one page and more than the machine's
  // memory, which would end in the kernel killing somebody instead of ENOSPC.
  static Result<std::unique_ptr<PageStore>> create(std::uint64_t bytes);
  PageStore(const PageStore&) = delete;
  PageStore& operator=(const PageStore&) = delete;
  ~PageStore();

  // `count` pages full of zeros, or as many as are left.
  std::vector<std::byte*> take(std::size_t count);
  void give_back(std::byte* page);

  [[nodiscard]] std::size_t total_pages() const { return total_; }
  [[nodiscard]] std::size_t free_pages() const;

 private:
  PageStore(std::byte* base, std::size_t total) : base_(base), total_(total) {}

  std::byte* const base_;
  const std::size_t total_;
  mutable std::mutex mutex_;
  std::size_t untouched_ = 0;         // index of the first page never handed out
  std::vector<std::byte*> returned_;  // their content is whatever was left in them
};

}  // namespace stallproof
