// SPDX-License-Identifier: Apache-2.0
// What a file under test must hold, block by block: the pattern, what the load wrote there last, or
// zeros after a hole was punched. One thread writes a block; any thread may ask. Nothing here
// touches the file.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "harness/base/result.h"
#include "workloads/content/stamp.h"

namespace stallproof {

struct WrongContent {
  std::uint64_t offset = 0;  // of the first wrong word in the file
  std::string what;          // "holds an older write (generation 3, last was 5)", …
};

class ExpectedContent {
 public:
  struct Shape {
    std::uint64_t block = 4096;  // bytes
    std::uint64_t blocks = 0;
    bool tracked = false;  // blocks change; else all is pattern for good
    // Somebody else may zero any block at any time: then zeros and any write of ours are right.
    bool zeros_any_time = false;
    // Others write the same blocks, as we do: then any write of anybody is right.
    bool any_writer = false;
  };
  ExpectedContent() = default;
  // Four bytes of memory for each block that is tracked.
  static Result<ExpectedContent> create(const Shape& shape);

  // The first word of a block; the quick check.
  [[nodiscard]] bool right(std::uint64_t block, std::uint64_t first_word) const {
    const Generation want = generations_ ? at(block) : 0;
    return first_word == stamp_word(block * shape_.block, want) || tolerated(block, first_word);
  }
  // `data` begins at the beginning of the block, and is a multiple of 8 bytes.
  [[nodiscard]] std::optional<WrongContent> check(std::uint64_t block,
                                                  std::span<const std::byte> data) const;

  // By the one thread that writes the block. Generations of a thread go up, so no two writes of a
  // block are alike.
  void wrote(std::uint64_t block, Generation generation) { set(block, 1, generation); }
  // A write failed half-way: nothing is known until the next one.
  void unsure(std::uint64_t block) { set(block, 1, kUnsure); }
  void zeroed(std::uint64_t first, std::uint64_t count) { set(first, count, kZeros); }
  void restored(std::uint64_t first, std::uint64_t count) { set(first, count, 0); }

  // The generation after `last`: never one that means something else here.
  static Generation after(Generation last) { return last + 1 >= kZeros ? 1 : last + 1; }

 private:
  static constexpr Generation kZeros = ~1U, kUnsure = ~0U;

  [[nodiscard]] Generation at(std::uint64_t block) const {
    return generations_[block].load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool tolerated(std::uint64_t block, std::uint64_t first_word) const;
  [[nodiscard]] std::optional<WrongContent> check_loosely(std::uint64_t offset,
                                                          std::span<const std::byte> data) const;
  void set(std::uint64_t first, std::uint64_t count, Generation generation);

  Shape shape_;
  std::unique_ptr<std::atomic<Generation>[]> generations_;
};

}  // namespace stallproof
