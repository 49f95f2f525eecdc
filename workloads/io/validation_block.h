// SPDX-License-Identifier: Apache-2.0
// What vdbench's data validation (-v) puts into a key block, and what a read one tells. Bytes and
// classes only: which key a block should have is the caller's map. Any number of threads; neither
// filling nor checking allocates.
//
// Every 512-byte sector: its byte offset and the write's time (ms since 1970), both as two uint32,
// high word first; one uint32 KKcc0000 of key (1 … 126) and the checksum of the time; the name of
// the SD or FSD, 8 characters, blank padded; the writer's owner id; 480 bytes of a pattern. All
// words in host order. The header was measured on 5.04.07; the pattern's 24 words that a published
// error log shows of two offsets are in the test (release unknown, of 2022).
//
// The pattern is one stream of 31-bit words of java.util.Random with seed 0, and a block has the
// piece that begins at its offset modulo the pattern's size. It depends neither on key nor on name:
// a lost write differs from the expected block in the headers alone ("no mismatches in bytes
// 32-511"), and bits flipped in a key, a name or the upper half of an offset look like another
// write. Not made: the patterns of compratio= other than 1 and of dedupratio=.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace stallproof {

inline constexpr std::size_t kValidationSector = 512;
inline constexpr std::uint8_t kLastValidationKey = 126;

// Bytes of the pattern for transfers of that size.
std::uint64_t pattern_size_for(std::uint64_t largest_transfer, std::uint64_t minimum_mib = 1);

// Made once, before the I/O: 2 ms and 2 MiB for each MiB of size.
class ValidationPattern {
 public:
  // `largest_transfer` of all xfersizes, bytes; beyond `minimum_mib` (pattern_buffer=) it enlarges
  // the pattern, in MiB, and so changes what is written. `seed`: compressionseed=.
  explicit ValidationPattern(std::uint64_t largest_transfer, std::uint64_t minimum_mib = 1,
                             std::uint64_t seed = 0);

  [[nodiscard]] std::uint64_t size() const { return words_.size() * sizeof(std::uint32_t) / 2; }

  // 2 * size() bytes: a block that begins near the end of the first half goes on in the second,
  // which has other data. (vdbench writes so but then expects the first half again, so that it
  // takes its own blocks of 17 KiB for corrupted at each MiB; sizes that divide a MiB are safe.)
  [[nodiscard]] const std::byte* data() const {
    return reinterpret_cast<const std::byte*>(words_.data());
  }

 private:
  std::vector<std::uint32_t> words_;
};

// Of a block, or of the sector that was found.
struct BlockIdentity {
  std::uint64_t offset = 0;  // bytes from the start of the SD, or of all files of the FSD
  std::uint8_t key = 0;
  std::uint64_t timestamp_ms = 0;
  std::array<char, 8> name{};
  std::uint32_t owner = 0;  // process id
};

// Blank padded; what is beyond 8 characters is lost (vdbench refuses such names with -v).
std::array<char, 8> validation_name(std::string_view name);

// `block`: whole sectors, at most pattern.size() bytes. `offset`: a multiple of 512.
void fill_block(std::span<std::byte> block, const BlockIdentity& identity,
                const ValidationPattern& pattern);

enum class BlockClass {
  good,
  lost_write,   // all sectors are of one other write to this block
  torn,         // all sectors are of writes to this block, or never written, but not of one write
  misdirected,  // some sector is intact but belongs to another offset or name
  overwritten,  // no sector has our offset and name, or our pattern
  corrupted,    // some sectors are ours, but not all bytes of them
  zero,         // all bytes
};

struct BlockReport {
  BlockClass what = BlockClass::good;
  std::uint32_t bad_sectors = 0;
  std::uint32_t first_bad = 0;  // index
  // What any bad sector has. The reserved bytes count as pattern.
  bool wrong_offset = false, wrong_key = false, wrong_name = false;
  bool bad_checksum = false, pattern_mismatch = false;
  // The first bad sector's header, whatever it holds; of a good block the first sector's.
  BlockIdentity found;
};

// Of `expected` offset, key and name count; the time need only fit its checksum. vdbench compares
// the owner too, which a block of an earlier run cannot pass: here it is reported.
BlockReport check_block(std::span<const std::byte> block, const BlockIdentity& expected,
                        const ValidationPattern& pattern);

}  // namespace stallproof
