// SPDX-License-Identifier: Apache-2.0
#include "workloads/content/stamp.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace stallproof {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);
// Loops of a fixed count are what g++ 12 vectorises at -O2.
constexpr std::size_t kBlockWords = 64;
constexpr std::size_t kBlockBytes = kBlockWords * kWord;
using Block = std::array<std::uint64_t, kBlockWords>;

// Inverse modulo 2^64 by Newton's iteration: each round doubles the bits that are right.
constexpr std::uint64_t inverse(std::uint64_t odd) {
  std::uint64_t found = odd;
  for (int round = 0; round < 6; ++round) found *= 2 - odd * found;
  return found;
}
constexpr std::uint64_t kUnspread = inverse(kStampSpread);
static_assert(kStampSpread * kUnspread == 1);

Block block_at(std::uint64_t offset, std::uint64_t spread) {
  Block block;
  for (std::size_t i = 0; i < kBlockWords; ++i) block[i] = pattern_word(offset + i * kWord);
  for (std::size_t i = 0; i < kBlockWords; ++i) block[i] ^= spread;
  return block;
}

}  // namespace

std::optional<Generation> generation_of(std::uint64_t offset, std::uint64_t word) {
  const std::uint64_t value = (word ^ pattern_word(offset)) * kUnspread;
  if (value >> 32U != 0) return std::nullopt;
  return static_cast<Generation>(value);
}

void fill_stamp(std::uint64_t offset, Generation generation, std::span<std::byte> into) {
  const std::uint64_t spread = generation * kStampSpread;
  for (std::size_t at = 0; at < into.size(); at += kBlockBytes) {
    const Block block = block_at(offset + at, spread);
    std::memcpy(into.data() + at, block.data(), std::min(kBlockBytes, into.size() - at));
  }
}

std::optional<WrongWord> first_wrong_stamp(std::uint64_t offset, Generation generation,
                                           std::span<const std::byte> data) {
  const std::uint64_t spread = generation * kStampSpread;
  for (std::size_t at = 0; at < data.size(); at += kBlockBytes) {
    const Block want = block_at(offset + at, spread);
    const std::size_t size = std::min(kBlockBytes, data.size() - at);
    if (std::memcmp(want.data(), data.data() + at, size) == 0) continue;
    Block have{};
    std::memcpy(have.data(), data.data() + at, size);
    for (std::size_t i = 0; i * kWord < size; ++i)
      if (have[i] != want[i]) return WrongWord{offset + at + i * kWord, have[i]};
  }
  return std::nullopt;
}

}  // namespace stallproof
