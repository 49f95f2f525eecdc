// SPDX-License-Identifier: Apache-2.0
// A profile made ready for its threads: calls by thread, at addresses of an area of ours, with what
// must not be done here taken out. File mappings become anonymous; nothing is populated, locked or
// put into huge pages by force; forks and advice that could harm the machine (hwpoison, …) are not
// made. brk becomes the mmap or munmap that it amounts to. Pure but for reserve().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/base/result.h"
#include "workloads/storm/address_map.h"

namespace stallproof {

// Address space reserved far from where the kernel places mappings, so that a hole in it is never
// given to anybody else. Unmapped on destruction.
class MapArea {
 public:
  MapArea() = default;
  // From 0x100000000000 (16 TiB) on, where it is free.
  static Result<MapArea> reserve(std::uint64_t size);
  MapArea(MapArea&& other) noexcept;
  MapArea& operator=(MapArea&& other) noexcept;
  ~MapArea();
  [[nodiscard]] std::uint64_t base() const { return base_; }
  // Everything in it is as reserve() made it: one call. False where the kernel refuses.
  [[nodiscard]] bool reset() const;

 private:
  std::uint64_t base_ = 0, size_ = 0;
};

class ReplayPlan {
 public:
  // Takes the profile over. `base`: of an area of map.size() bytes.
  ReplayPlan() = default;
  ReplayPlan(MapProfile profile, const AddressMap& map, std::uint64_t base);

  [[nodiscard]] std::span<const MapOperation> calls_of(std::uint32_t thread) const;
  // Threads that nobody of the profile bore.
  [[nodiscard]] const std::vector<std::uint32_t>& roots() const { return roots_; }
  // Threads that are there at once, at most.
  [[nodiscard]] std::size_t threads_at_once() const { return threads_at_once_; }
  [[nodiscard]] std::size_t calls() const { return calls_.size(); }
  [[nodiscard]] std::uint64_t duration_us() const { return duration_us_; }
  // Forks, and calls that must not be made here.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  void count_threads(const std::vector<MapOperation>& operations, std::uint32_t threads);
  std::vector<MapOperation> calls_;  // by thread, each in the order of the profile
  std::vector<std::size_t> first_;   // of each thread in calls_; one more at the end
  std::vector<std::uint32_t> roots_;
  std::size_t threads_at_once_ = 0, left_out_ = 0;
  std::uint64_t duration_us_ = 0;
};

}  // namespace stallproof
