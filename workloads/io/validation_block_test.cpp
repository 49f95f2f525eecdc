// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/validation_block.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace stallproof {
namespace {

constexpr std::uint64_t kMebibyte = 1U << 20U;
using Bytes = std::vector<std::byte>;

const ValidationPattern& pattern() {
  static const ValidationPattern made(kMebibyte);
  return made;
}

BlockIdentity identity(std::uint64_t offset = 0x3'0004'2000, std::uint8_t key = 26,
                       std::uint64_t time = 0x1a2'02e1'6810) {
  return {offset, key, time, validation_name("sd1"), 0x2571};
}

Bytes filled(const BlockIdentity& what, std::size_t size = 4096) {
  Bytes block(size);
  fill_block(block, what, pattern());
  return block;
}

BlockReport checked(const Bytes& block, const BlockIdentity& expected = identity()) {
  return check_block(block, expected, pattern());
}

// Puts sector `index` of `from` into `to`.
void take_sector(Bytes& to, const Bytes& from, std::size_t index) {
  std::memcpy(to.data() + index * 512, from.data() + index * 512, 512);
}

std::vector<std::uint32_t> words_of(const Bytes& block, std::size_t sector, std::size_t count) {
  std::vector<std::uint32_t> words(count);
  std::memcpy(words.data(), block.data() + sector * 512, count * 4);
  return words;
}

// The layout once more: a byte at a time, from the documentation of java.util.Random.
class SlowWriter {
 public:
  SlowWriter() {
    for (int i = 0; i < 2 * 262'144; ++i) {
      const double high = static_cast<double>(step() / (1U << 22U)) * 134'217'728.0;
      const double unit = (high + static_cast<double>(step() / (1U << 21U))) / 9007199254740992.0;
      stream_.push_back(static_cast<std::uint32_t>(unit * 2147483647.0));
    }
  }

  // `in_block`: the sector's distance from the start of its key block.
  Bytes sector(const BlockIdentity& what, std::uint64_t in_block) const {
    Bytes out;
    const std::uint64_t offset = what.offset + in_block;
    put(out, offset >> 32U);
    put(out, offset);
    put(out, what.timestamp_ms >> 32U);
    put(out, what.timestamp_ms);
    std::uint32_t sum = 0;
    for (std::uint64_t rest = what.timestamp_ms; rest != 0; rest /= 256)
      sum += static_cast<std::uint32_t>(rest % 256);
    for (const std::uint32_t byte : {0U, 0U, sum % 256, std::uint32_t{what.key}})
      out.push_back(static_cast<std::byte>(byte));
    for (const char c : what.name) out.push_back(static_cast<std::byte>(c));
    put(out, what.owner);
    const std::size_t start = (what.offset % kMebibyte + in_block) / 4;
    while (out.size() < 512) put(out, stream_[start + out.size() / 4]);
    return out;
  }

 private:
  std::uint64_t step() {
    state_ = (state_ * 25'214'903'917U + 11U) % (1ULL << 48U);
    return state_;
  }
  static void put(Bytes& out, std::uint64_t word) {
    for (unsigned i = 0; i < 4; ++i) out.push_back(static_cast<std::byte>(word >> (8 * i)));
  }

  std::uint64_t state_ = 25'214'903'917U;  // seed 0
  std::vector<std::uint32_t> stream_;
};

// From an error log of vdbench: where fsd1 should have had key 0x17 at 0x0ed9e000, an intact sector
// of 0x23bde000 was found.
const BlockIdentity kLogged = {0x23bd'e000, 0x71, 0x183'7a32'2e1a, validation_name("fsd1"),
                               0x000c'4d40};

TEST(ValidationBlock, SectorIsAsVdbenchWroteIt) {
  const std::vector<std::uint32_t> logged = {
      0x00000000, 0x23bde000, 0x00000183, 0x7a322e1a, 0x71780000, 0x31647366, 0x20202020,
      0x000c4d40, 0x28bdabe6, 0x2594c631, 0x13e5658d, 0x00e6c3b2, 0x025638b0, 0x04c078ca,
      0x3324607c, 0x3a8ae50c, 0x66d6558a, 0x31fd6c67, 0x38f22e6e, 0x369b993e};
  EXPECT_EQ(words_of(filled(kLogged), 0, logged.size()), logged);
}

TEST(ValidationBlock, PatternIsAsVdbenchExpectedIt) {
  const std::vector<std::uint32_t> logged = {0x389e28ad, 0x5e271335, 0x708996b2, 0x44ca72ac,
                                             0x2b2ef52b, 0x21a3b8b4, 0x7278ef73, 0x106fd4fe,
                                             0x52bb6dec, 0x3e891b46, 0x6cb0f74c, 0x265505e1};
  auto words = words_of(filled(identity(0x0ed9'e000)), 0, 8 + logged.size());
  words.erase(words.begin(), words.begin() + 8);
  EXPECT_EQ(words, logged);
}

TEST(ValidationBlock, HeaderIsAsInTheMeasuredDump) {
  const Bytes block = filled({0x1000, 0x57, 0x1a2'02e1'6810, validation_name("sd1"), 0x2571});
  const std::vector<std::uint32_t> dumped = {0x00000000, 0x00001000, 0x000001a2, 0x02e16810,
                                             0x57fe0000, 0x20316473, 0x20202020, 0x00002571};
  EXPECT_EQ(words_of(block, 0, dumped.size()), dumped);
  const std::string on_disk("\x00\x00\xfe\x57sd1     \x71\x25\x00\x00", 16);
  EXPECT_EQ(std::memcmp(block.data() + 16, on_disk.data(), on_disk.size()), 0);
}

TEST(ValidationBlock, EverySectorIsThatOfASlowWriter) {
  const SlowWriter slow;
  for (const auto& [offset, size] : {std::pair<std::uint64_t, std::size_t>{0, 4096},
                                     {0x3'0004'2000, 131'072},
                                     {0xffff'f000, 8192},       // the low word overflows
                                     {0xa7'd8bf'd000, 17'408},  // crosses a MiB, as logged
                                     {5 * kMebibyte - 512, 1'048'576}}) {
    const Bytes block = filled(identity(offset), size);
    for (std::size_t at = 0; at < size; at += 512)
      ASSERT_EQ(Bytes(block.begin() + static_cast<std::ptrdiff_t>(at),
                      block.begin() + static_cast<std::ptrdiff_t>(at + 512)),
                slow.sector(identity(offset), at))
          << offset << "+" << at;
    EXPECT_EQ(checked(block, identity(offset)).what, BlockClass::good);
  }
}

TEST(ValidationBlock, LargeTransfersEnlargeThePatternByWholeMebibytes) {
  EXPECT_EQ(ValidationPattern(4096).size(), kMebibyte);
  EXPECT_EQ(ValidationPattern(kMebibyte).size(), kMebibyte);
  EXPECT_EQ(ValidationPattern(kMebibyte + 512).size(), 2 * kMebibyte);
  EXPECT_EQ(ValidationPattern(4096, 3).size(), 3 * kMebibyte);
}

TEST(ValidationBlock, LargerPatternHasOtherDataFromItsSecondMebibyteOn) {
  const ValidationPattern large(2 * kMebibyte);
  EXPECT_EQ(check_block(filled(identity(0)), identity(0), large).what, BlockClass::good);
  EXPECT_EQ(check_block(filled(identity(kMebibyte)), identity(kMebibyte), large).what,
            BlockClass::corrupted);
}

TEST(ValidationBlock, OtherSeedMakesOtherData) {
  const ValidationPattern other(kMebibyte, 1, 7);
  EXPECT_NE(std::memcmp(other.data(), pattern().data(), 512), 0);
}

TEST(ValidationBlock, GoodBlockTellsItsWriter) {
  BlockIdentity expected = identity();
  expected.timestamp_ms = 0;
  expected.owner = 1;
  const BlockReport report = checked(filled(identity()), expected);
  EXPECT_EQ(report.what, BlockClass::good);
  EXPECT_EQ(report.bad_sectors, 0U);
  EXPECT_EQ(report.found.timestamp_ms, identity().timestamp_ms);
  EXPECT_EQ(report.found.owner, identity().owner);
}

TEST(ValidationBlock, LostWriteShowsAnOldKey) {
  const BlockReport report = checked(filled(identity(identity().offset, 25, 0x1a2'02e1'0000)));
  EXPECT_EQ(report.what, BlockClass::lost_write);
  EXPECT_EQ(report.bad_sectors, 8U);
  EXPECT_EQ(report.found.key, 25);
  EXPECT_EQ(report.found.timestamp_ms, 0x1a2'02e1'0000U);
  EXPECT_TRUE(report.wrong_key);
  EXPECT_FALSE(report.pattern_mismatch || report.bad_checksum || report.wrong_offset);
}

TEST(ValidationBlock, LostWriteAtTheWrapOfKeysIsOneToo) {
  const std::uint64_t offset = identity().offset;
  EXPECT_EQ(checked(filled(identity(offset, 126)), identity(offset, 1)).what,
            BlockClass::lost_write);
}

TEST(ValidationBlock, KeyThatNoWriteHasIsCorruption) {
  for (const auto key : std::to_array<std::uint8_t>({0, 127, 255}))
    EXPECT_EQ(checked(filled(identity(identity().offset, key))).what, BlockClass::corrupted);
}

TEST(ValidationBlock, TornWriteEndsWhereTheOldKeyBegins) {
  Bytes block = filled(identity());
  const Bytes old = filled(identity(identity().offset, 25));
  for (std::size_t sector = 5; sector < 8; ++sector) take_sector(block, old, sector);
  const BlockReport report = checked(block);
  EXPECT_EQ(report.what, BlockClass::torn);
  EXPECT_EQ(report.bad_sectors, 3U);
  EXPECT_EQ(report.first_bad, 5U);
  EXPECT_EQ(report.found.offset, identity().offset + 5 * 512);
}

TEST(ValidationBlock, BlockOfTwoOldWritesIsTornNotLost) {
  Bytes block = filled(identity(identity().offset, 25));
  take_sector(block, filled(identity(identity().offset, 24)), 7);
  EXPECT_EQ(checked(block).what, BlockClass::torn);
}

TEST(ValidationBlock, FirstWriteThatEndsInZeroesIsTorn) {
  Bytes block = filled(identity());
  take_sector(block, Bytes(4096), 7);
  EXPECT_EQ(checked(block).what, BlockClass::torn);
}

TEST(ValidationBlock, MisdirectedBlockTellsWhereItBelongs) {
  const BlockReport report = checked(filled(identity(0x7000)));
  EXPECT_EQ(report.what, BlockClass::misdirected);
  EXPECT_EQ(report.found.offset, 0x7000U);
  EXPECT_TRUE(report.wrong_offset && report.pattern_mismatch);
}

TEST(ValidationBlock, LoggedSectorOfAnotherPlaceIsMisdirected) {
  BlockIdentity expected = kLogged;
  expected.offset = 0x0ed9'e000;
  expected.key = 0x17;
  Bytes block = filled(expected);
  take_sector(block, filled(kLogged), 0);
  const BlockReport report = checked(block, expected);
  EXPECT_EQ(report.what, BlockClass::misdirected);
  EXPECT_EQ(report.bad_sectors, 1U);
  EXPECT_EQ(report.found.key, 0x71);
}

// In a log of vdbench "Expecting 0x28e55dcc00, receiving 0x20687dcc00", no mismatches in the data.
TEST(ValidationBlock, MisdirectedByWholeMebibytesShowsInTheOffsetAlone) {
  const BlockReport report =
      checked(filled(identity(0x20'687d'cc00), 1024), identity(0x28'e55d'cc00));
  EXPECT_EQ(report.what, BlockClass::misdirected);
  EXPECT_FALSE(report.pattern_mismatch);
}

TEST(ValidationBlock, MisdirectedBlockThatCrossedAMebibyteIsOneToo) {
  const Bytes crossing = filled(identity(0xa7'd8bf'd000), 17'408);
  EXPECT_EQ(checked(crossing, identity(0x4400 * 77, 26)).what, BlockClass::misdirected);
}

TEST(ValidationBlock, OtherSdIsMisdirection) {
  BlockIdentity other = identity();
  other.name = validation_name("sd2");
  const BlockReport report = checked(filled(other));
  EXPECT_EQ(report.what, BlockClass::misdirected);
  EXPECT_TRUE(report.wrong_name);
  EXPECT_EQ(std::string(report.found.name.data(), 8), "sd2     ");
}

TEST(ValidationBlock, NameThatIsNoneIsCorruptionNotMisdirection) {
  Bytes block = filled(identity());
  block[20] = std::byte{0x07};
  EXPECT_EQ(checked(block).what, BlockClass::corrupted);
}

TEST(ValidationBlock, MovedOffsetWithoutItsDataIsCorruptionNotMisdirection) {
  Bytes block = filled(identity());
  block[5] ^= std::byte{0x10};  // 4 KiB further
  EXPECT_EQ(checked(block).what, BlockClass::corrupted);
}

TEST(ValidationBlock, StrangersDataIsOverwritten) {
  Bytes block(4096);
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::byte>(i * 7 + 3);
  const BlockReport report = checked(block);
  EXPECT_EQ(report.what, BlockClass::overwritten);
  EXPECT_EQ(report.bad_sectors, 8U);
}

TEST(ValidationBlock, StrangersDataInOneSectorIsCorrupted) {
  Bytes block = filled(identity());
  take_sector(block, Bytes(4096, std::byte{0x5a}), 2);
  const BlockReport report = checked(block);
  EXPECT_EQ(report.what, BlockClass::corrupted);
  EXPECT_EQ(report.first_bad, 2U);
}

TEST(ValidationBlock, AnyFlippedBitIsSeen) {
  const Bytes good = filled(identity(), 1024);
  for (std::size_t bit = 0; bit < 1024 * 8; ++bit) {
    const bool is_owner = bit / 8 % 512 >= 28 && bit / 8 % 512 < 32;
    Bytes block = good;
    block[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const BlockReport report = checked(block);
    // The sign of the time is in no checksum.
    const bool is_unseen = is_owner || bit % (512 * 8) == 11 * 8 + 7;
    ASSERT_EQ(report.bad_sectors, is_unseen ? 0U : 1U) << bit;
    if (bit / 8 % 512 >= 32) {
      ASSERT_EQ(report.what, BlockClass::corrupted) << bit;
    }
  }
}

TEST(ValidationBlock, FlippedDataIsCorruptedUnderARightHeader) {
  Bytes block = filled(identity());
  block[3 * 512 + 511] ^= std::byte{0x80};
  const BlockReport report = checked(block);
  EXPECT_EQ(report.what, BlockClass::corrupted);
  EXPECT_EQ(report.bad_sectors, 1U);
  EXPECT_EQ(report.first_bad, 3U);
  EXPECT_TRUE(report.pattern_mismatch);
  EXPECT_FALSE(report.wrong_key || report.wrong_name || report.wrong_offset || report.bad_checksum);
}

TEST(ValidationBlock, FlippedTimeIsABadChecksum) {
  Bytes block = filled(identity());
  block[12] ^= std::byte{1};
  const BlockReport report = checked(block);
  EXPECT_EQ(report.what, BlockClass::corrupted);
  EXPECT_TRUE(report.bad_checksum);
  EXPECT_FALSE(report.pattern_mismatch);
}

TEST(ValidationBlock, OldBlockWithABrokenSectorIsCorruptedNotLost) {
  Bytes block = filled(identity(identity().offset, 25));
  block[100] ^= std::byte{1};
  EXPECT_EQ(checked(block).what, BlockClass::corrupted);
}

TEST(ValidationBlock, ZeroesAreTheirOwnClass) {
  EXPECT_EQ(checked(Bytes(4096)).what, BlockClass::zero);
  EXPECT_EQ(checked(Bytes(4096), identity(0)).what, BlockClass::zero);
}

TEST(ValidationBlock, OneByteAmongZeroesIsOverwrittenNotZero) {
  Bytes block(4096);
  block[4095] = std::byte{1};
  EXPECT_EQ(checked(block).what, BlockClass::overwritten);
}

TEST(ValidationBlock, NamesArePaddedWithBlanks) {
  const auto name = validation_name("fsd1");
  EXPECT_EQ(std::string(name.data(), name.size()), "fsd1    ");
  const auto cut = validation_name("a_long_name");
  EXPECT_EQ(std::string(cut.data(), cut.size()), "a_long_n");
}

}  // namespace
}  // namespace stallproof
