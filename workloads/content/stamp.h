// SPDX-License-Identifier: Apache-2.0
// What a load writes: the ffs pattern of the offset, mixed with a generation, so that a block names
// the place it belongs to and which write put it there. Generation 0 is the pattern itself. Offsets
// and sizes are in bytes, multiples of 8. Any thread; nothing here blocks, allocates or fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "workloads/ffs/pattern.h"

namespace stallproof {

using Generation = std::uint32_t;

// Odd, so that multiplying by it loses nothing and a word gives its generation back.
inline constexpr std::uint64_t kStampSpread = 0x9e3779b97f4a7c15ULL;

constexpr std::uint64_t stamp_word(std::uint64_t offset, Generation generation) {
  return pattern_word(offset) ^ (generation * kStampSpread);
}

// The write that put `word` at `offset`; nullopt when none of ours at that offset did. Of the words
// that are not ours one in 2^32 is taken for one.
std::optional<Generation> generation_of(std::uint64_t offset, std::uint64_t word);

void fill_stamp(std::uint64_t offset, Generation generation, std::span<std::byte> into);

struct WrongWord {
  std::uint64_t offset = 0;  // in the file
  std::uint64_t word = 0;    // what is there
};
// The first word that is not of this generation.
std::optional<WrongWord> first_wrong_stamp(std::uint64_t offset, Generation generation,
                                           std::span<const std::byte> data);

}  // namespace stallproof
