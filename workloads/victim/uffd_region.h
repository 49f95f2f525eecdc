// SPDX-License-Identifier: Apache-2.0
// Anonymous memory whose missing pages the kernel asks a thread of ours for (userfaultfd(2), mode
// MISSING): a fault sleeps in handle_userfault, fs/userfaultfd.c, 6.12, until it is answered,
// without mmap_lock. Mapped in the constructor's process, unmapped on destruction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

class UffdRegion {
 public:
  static constexpr std::size_t kPage = 4096;

  // Why this machine has none; nullopt when it has.
  static std::optional<std::string> unsupported();
  static Result<std::unique_ptr<UffdRegion>> map(std::size_t pages);
  UffdRegion(const UffdRegion&) = delete;
  UffdRegion& operator=(const UffdRegion&) = delete;
  ~UffdRegion();

  [[nodiscard]] std::byte* page(std::size_t number) const { return base_ + number * kPage; }
  // The number of a page that a thread waits for, each once; waits for one at most so long.
  [[nodiscard]] std::optional<std::size_t> next_fault(Nanos patience);
  // Puts `bytes` (one page) there and wakes who waits for it. Returns 0 or an errno.
  int answer(std::size_t number, const std::byte* bytes);

 private:
  UffdRegion() = default;

  Fd uffd_;
  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace stallproof
