// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/validation_block.h"

#include <algorithm>
#include <cstring>

#include "workloads/io/java_random.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kMebibyte = 1U << 20U;
constexpr std::uint32_t kReserved = 0xFFFF;

struct SectorHeader {
  std::uint32_t offset_high, offset_low;
  std::uint32_t time_high, time_low;
  std::uint32_t marks;  // KKcc0000
  std::array<char, 8> name;
  std::uint32_t owner;
};
static_assert(sizeof(SectorHeader) == 32);

constexpr std::size_t kHeader = sizeof(SectorHeader);
constexpr std::size_t kData = kValidationSector - kHeader;

std::uint64_t joined(std::uint32_t high, std::uint32_t low) {
  return static_cast<std::uint64_t>(high) << 32U | low;
}

// The sum of the bytes modulo 256, the sign bit left out: in pairs, then of the four pairs.
std::uint32_t checksum_of(std::uint64_t time) {
  constexpr std::uint64_t kEven = 0x00FF'00FF'00FF'00FF, kEach = 0x0001'0001'0001'0001;
  const std::uint64_t bytes = time & INT64_MAX;
  const std::uint64_t pairs = (bytes & kEven) + (bytes >> 8U & kEven);
  return static_cast<std::uint32_t>((pairs * kEach) >> 48U & 0xFFU);
}

SectorHeader header_of(const BlockIdentity& identity) {
  const auto high = [](std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32U); };
  const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  const std::uint32_t marks =
      static_cast<std::uint32_t>(identity.key) << 24U | checksum_of(identity.timestamp_ms) << 16U;
  return {high(identity.offset),
          low(identity.offset),
          high(identity.timestamp_ms),
          low(identity.timestamp_ms),
          marks,
          identity.name,
          identity.owner};
}

SectorHeader header_in(const std::byte* sector) {
  SectorHeader header;
  std::memcpy(&header, sector, kHeader);
  return header;
}

BlockIdentity identity_of(const SectorHeader& header) {
  return {joined(header.offset_high, header.offset_low),
          static_cast<std::uint8_t>(header.marks >> 24U), joined(header.time_high, header.time_low),
          header.name, header.owner};
}

bool checksum_fits(const SectorHeader& header) {
  const std::uint32_t sum = checksum_of(joined(header.time_high, header.time_low));
  return sum == (header.marks >> 16U & 0xFFU);
}

bool data_fits(const std::byte* sector, const std::byte* pattern) {
  return std::memcmp(sector + kHeader, pattern + kHeader, kData) == 0;
}

// The whole of the fast path.
bool sector_is_good(const std::byte* sector, const BlockIdentity& expected,
                    const std::byte* pattern) {
  const SectorHeader header = header_in(sector);
  const std::uint32_t marks = static_cast<std::uint32_t>(expected.key) << 24U;
  return joined(header.offset_high, header.offset_low) == expected.offset &&
         std::memcmp(header.name.data(), expected.name.data(), header.name.size()) == 0 &&
         (header.marks & ~0xFF'0000U) == marks && checksum_fits(header) &&
         data_fits(sector, pattern);
}

bool is_zero(const std::byte* sector) {
  return std::all_of(sector, sector + kValidationSector,
                     [](std::byte byte) { return byte == std::byte{0}; });
}

bool could_be_name(const std::array<char, 8>& name) {
  return name[0] != ' ' &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// Where a sector of this offset has its data from: if its block crossed the pattern's end, from the
// second half.
bool data_fits_offset(const std::byte* sector, std::uint64_t offset,
                      const ValidationPattern& pattern) {
  const std::uint64_t first = offset % pattern.size();
  return data_fits(sector, pattern.data() + first) ||
         (first + kValidationSector <= pattern.size() &&
          data_fits(sector, pattern.data() + pattern.size() + first));
}

// Counts of sectors by what they are.
struct Tally {
  std::size_t good = 0;
  std::size_t older = 0;  // of another write to this block
  std::size_t zero = 0;
  std::size_t elsewhere = 0;  // intact, of another place
  std::size_t damaged = 0;    // ours in part
  std::size_t foreign = 0;
  std::uint8_t older_key = 0;
  bool one_older_key = true;
};

void count_older(Tally& tally, std::uint8_t key) {
  if (tally.older++ == 0) tally.older_key = key;
  tally.one_older_key = tally.one_older_key && key == tally.older_key;
}

// `expected.offset` is the sector's own.
void examine(const std::byte* sector, const BlockIdentity& expected, const std::byte* own_pattern,
             const ValidationPattern& pattern, Tally& tally, BlockReport& report) {
  const SectorHeader header = header_in(sector);
  const BlockIdentity found = identity_of(header);
  const bool offset_fits = found.offset == expected.offset;
  const bool name_fits = found.name == expected.name;
  const bool data_is_ours = data_fits(sector, own_pattern);
  const bool reserved_fits = (header.marks & kReserved) == 0;
  report.wrong_offset |= !offset_fits;
  report.wrong_name |= !name_fits;
  report.wrong_key |= found.key != expected.key;
  report.bad_checksum |= !checksum_fits(header);
  report.pattern_mismatch |= !data_is_ours || !reserved_fits;

  const bool could_be_header =
      checksum_fits(header) && reserved_fits && found.key >= 1 && found.key <= kLastValidationKey;
  const bool is_ours = offset_fits && name_fits;
  if (is_zero(sector))
    ++tally.zero;
  else if (is_ours && could_be_header && data_is_ours)
    count_older(tally, found.key);
  else if (!is_ours && could_be_header && could_be_name(found.name) &&
           (offset_fits ? data_is_ours : data_fits_offset(sector, found.offset, pattern)))
    ++tally.elsewhere;
  else if (is_ours || data_is_ours)
    ++tally.damaged;
  else
    ++tally.foreign;
}

BlockClass class_of(const Tally& tally) {
  if (tally.elsewhere != 0) return BlockClass::misdirected;
  if (tally.damaged != 0) return BlockClass::corrupted;
  const bool some_are_ours = tally.good + tally.older != 0;
  if (tally.foreign != 0) return some_are_ours ? BlockClass::corrupted : BlockClass::overwritten;
  if (!some_are_ours) return BlockClass::zero;
  const bool one_write = tally.good + tally.zero == 0 && tally.one_older_key;
  return one_write ? BlockClass::lost_write : BlockClass::torn;
}

}  // namespace

std::uint64_t pattern_size_for(std::uint64_t largest_transfer, std::uint64_t minimum_mib) {
  const std::uint64_t transfer_mib = (largest_transfer + kMebibyte - 1) / kMebibyte;
  return std::max({transfer_mib, minimum_mib, std::uint64_t{1}}) * kMebibyte;
}

ValidationPattern::ValidationPattern(std::uint64_t largest_transfer, std::uint64_t minimum_mib,
                                     std::uint64_t seed) {
  words_.resize(2 * pattern_size_for(largest_transfer, minimum_mib) / sizeof(std::uint32_t));
  JavaRandom random(seed);
  for (std::uint32_t& word : words_) word = static_cast<std::uint32_t>(random.unit() * INT32_MAX);
}

std::array<char, 8> validation_name(std::string_view name) {
  std::array<char, 8> out;
  out.fill(' ');
  std::copy_n(name.begin(), std::min(name.size(), out.size()), out.begin());
  return out;
}

void fill_block(std::span<std::byte> block, const BlockIdentity& identity,
                const ValidationPattern& pattern) {
  SectorHeader header = header_of(identity);
  std::memcpy(block.data(), pattern.data() + identity.offset % pattern.size(), block.size());
  for (std::size_t at = 0; at < block.size(); at += kValidationSector) {
    header.offset_high = static_cast<std::uint32_t>((identity.offset + at) >> 32U);
    header.offset_low = static_cast<std::uint32_t>(identity.offset + at);
    std::memcpy(block.data() + at, &header, kHeader);
  }
}

BlockReport check_block(std::span<const std::byte> block, const BlockIdentity& expected,
                        const ValidationPattern& pattern) {
  BlockReport report;
  Tally tally;
  const std::byte* const data = pattern.data() + expected.offset % pattern.size();
  BlockIdentity sector = expected;
  for (std::size_t at = 0; at < block.size(); at += kValidationSector) {
    sector.offset = expected.offset + at;
    if (sector_is_good(block.data() + at, sector, data + at)) {
      ++tally.good;
      continue;
    }
    if (report.bad_sectors++ == 0)
      report.first_bad = static_cast<std::uint32_t>(at / kValidationSector);
    examine(block.data() + at, sector, data + at, pattern, tally, report);
  }
  if (block.empty()) return report;
  const std::size_t shown = report.bad_sectors == 0 ? 0 : report.first_bad;
  report.found = identity_of(header_in(block.data() + shown * kValidationSector));
  if (report.bad_sectors != 0) report.what = class_of(tally);
  return report;
}

}  // namespace stallproof
