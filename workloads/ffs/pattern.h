// SPDX-License-Identifier: Apache-2.0
// The content of every ffs file: the 8-byte little-endian word at offset o (a multiple of 8) is a
// pure function of o, so whoever reads any range can tell whether it came from there. Called by the
// server and by the loads, from any thread; never blocks, allocates or fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace stallproof {

// One xorshift round (Marsaglia, "Xorshift RNGs", 2003). It is a bijection, so no two offsets have
// the same word; shifts and xors of 64-bit lanes exist in every vector unit, a 64-bit multiply does
// not. The constant keeps offset 0 off the fixed point of zero.
constexpr std::uint64_t pattern_word(std::uint64_t offset) {
  std::uint64_t x = offset ^ 0x9e3779b97f4a7c15ULL;
  x ^= x << 13U;
  x ^= x >> 7U;
  x ^= x << 17U;
  return x;
}

// Writes what a file holds from byte `offset` on. Any offset and size.
void fill_pattern(std::uint64_t offset, std::span<std::byte> into);

// File offset of the first byte that is not what its offset says; nullopt when all are right.
std::optional<std::uint64_t> first_wrong_byte(std::uint64_t offset,
                                              std::span<const std::byte> data);

}  // namespace stallproof
