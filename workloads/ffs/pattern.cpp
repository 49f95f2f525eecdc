// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/pattern.h"

#include <array>
#include <bit>
#include <cstring>

namespace stallproof {
namespace {

static_assert(std::endian::native == std::endian::little);

// Loops of a fixed count are what g++ 12 vectorises at -O2.
constexpr std::size_t kBlockWords = 64;
constexpr std::size_t kBlockBytes = kBlockWords * sizeof(std::uint64_t);
using Block = std::array<std::uint64_t, kBlockWords>;

Block block_at(std::uint64_t offset) {
  Block block;
  for (std::size_t i = 0; i < kBlockWords; ++i) block[i] = pattern_word(offset + i * 8);
  return block;
}

std::byte byte_at(std::uint64_t offset) {
  return static_cast<std::byte>(pattern_word(offset & ~7ULL) >> (8U * (offset & 7U)));
}

bool block_matches(std::uint64_t offset, const std::byte* data) {
  const Block want = block_at(offset);
  Block have;
  std::memcpy(have.data(), data, kBlockBytes);
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < kBlockWords; ++i) difference |= want[i] ^ have[i];
  return difference == 0;
}

}  // namespace

void fill_pattern(std::uint64_t offset, std::span<std::byte> into) {
  std::size_t at = 0;
  while (at < into.size() && (offset + at) % 8 != 0) {
    into[at] = byte_at(offset + at);
    ++at;
  }
  for (; into.size() - at >= kBlockBytes; at += kBlockBytes) {
    const Block block = block_at(offset + at);
    std::memcpy(into.data() + at, block.data(), kBlockBytes);
  }
  for (; at < into.size(); ++at) into[at] = byte_at(offset + at);
}

std::optional<std::uint64_t> first_wrong_byte(std::uint64_t offset,
                                              std::span<const std::byte> data) {
  std::size_t at = 0;
  while (at < data.size()) {
    const std::uint64_t here = offset + at;
    if (here % 8 == 0 && data.size() - at >= kBlockBytes && block_matches(here, data.data() + at)) {
      at += kBlockBytes;
      continue;
    }
    if (data[at] != byte_at(here)) return here;
    ++at;
  }
  return std::nullopt;
}

}  // namespace stallproof
