// SPDX-License-Identifier: Apache-2.0
// Address space of a storm's own, unmapped with its owner. What is changed in it harms nobody.
#pragma once

#include <cstddef>
#include <utility>

#include "harness/base/result.h"
#include "workloads/storm/memory_call.h"

namespace stallproof {

class ReservedMemory {
 public:
  ReservedMemory() = default;
  ReservedMemory(ReservedMemory&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  ReservedMemory& operator=(ReservedMemory&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ReservedMemory(const ReservedMemory&) = delete;
  ReservedMemory& operator=(const ReservedMemory&) = delete;
  ~ReservedMemory() {
    if (at_ != nullptr) ::munmap(at_, bytes_);
  }

  static Result<ReservedMemory> map(std::size_t bytes, int protection, int flags) {
    void* const memory = ::mmap(nullptr, bytes, protection, flags, -1, 0);
    if (memory == MAP_FAILED)
      return fail_errno("mprotect-storm: map " + std::to_string(bytes / kKiB) + " KiB", errno,
                        "fewer threads, or raise vm.max_map_count or the limit of address space");
    ReservedMemory reserved;
    reserved.at_ = static_cast<std::byte*>(memory);
    reserved.bytes_ = bytes;
    return reserved;
  }

  [[nodiscard]] std::byte* at() const { return at_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::byte* at_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace stallproof
