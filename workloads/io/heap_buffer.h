// SPDX-License-Identifier: Apache-2.0
// The memory that I/Os read into and write from, and what is put there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace stallproof {

struct FreeMemory {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using HeapBuffer = std::unique_ptr<std::byte, FreeMemory>;
// Page-aligned, of ordinary heap memory, zeroed. Not freed while an I/O is in flight into it.
HeapBuffer heap_buffer(std::size_t size);
// Anything but zeros, different in each block.
void fill_with_noise(std::byte* buffer, std::size_t size, std::uint64_t seed);
// A read that reports success must have changed what is put at both ends here.
void poison(std::byte* buffer, std::size_t size);
bool still_poisoned(const std::byte* buffer, std::size_t size);

}  // namespace stallproof
