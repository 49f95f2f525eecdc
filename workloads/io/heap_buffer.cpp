// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/heap_buffer.h"

#include <algorithm>
#include <cstring>

#include "harness/base/prng.h"

namespace stallproof {
namespace {

constexpr std::uint32_t kHeadPoison = 0xb5b5a1d1, kTailPoison = 0xb5b5a2d2;

}  // namespace

HeapBuffer heap_buffer(std::size_t size) {
  constexpr std::size_t kPage = 4096;
  void* const memory =
      std::aligned_alloc(kPage, (std::max(size, kPage) + kPage - 1) / kPage * kPage);
  if (memory == nullptr) std::abort();  // nothing of the run is left to save here
  std::memset(memory, 0, size);
  return HeapBuffer(static_cast<std::byte*>(memory));
}

void fill_with_noise(std::byte* buffer, std::size_t size, std::uint64_t seed) {
  Prng prng(seed);
  for (std::size_t at = 0; at + sizeof(std::uint64_t) <= size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = prng.next();
    std::memcpy(buffer + at, &word, sizeof word);
  }
}

void poison(std::byte* buffer, std::size_t size) {
  std::memcpy(buffer, &kHeadPoison, sizeof kHeadPoison);
  std::memcpy(buffer + size - sizeof kTailPoison, &kTailPoison, sizeof kTailPoison);
}

bool still_poisoned(const std::byte* buffer, std::size_t size) {
  return std::memcmp(buffer, &kHeadPoison, sizeof kHeadPoison) == 0 ||
         std::memcmp(buffer + size - sizeof kTailPoison, &kTailPoison, sizeof kTailPoison) == 0;
}

}  // namespace stallproof
