// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/pattern.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

namespace stallproof {
namespace {

std::vector<std::byte> filled(std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> data(size);
  fill_pattern(offset, data);
  return data;
}

TEST(Pattern, WordAtAnOffsetIsLittleEndianAndPure) {
  const auto data = filled(4096, 8192);
  for (std::size_t at = 0; at < data.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data.data() + at, sizeof word);
    ASSERT_EQ(word, pattern_word(4096 + at));
  }
}

TEST(Pattern, AnyCutOfTheFileHoldsTheSameBytes) {
  const auto whole = filled(0, 4096);
  for (const std::size_t start : {0U, 1U, 7U, 8U, 509U, 2048U}) {
    for (const std::size_t size : {0U, 1U, 9U, 512U, 1031U}) {
      const auto cut = filled(start, size);
      EXPECT_EQ(size == 0 ? 0 : std::memcmp(cut.data(), whole.data() + start, size), 0)
          << start << '+' << size;
      EXPECT_EQ(first_wrong_byte(start, cut), std::nullopt) << start << '+' << size;
    }
  }
}

TEST(Pattern, FirstWrongByteIsFoundWhereverItIs) {
  for (const std::size_t wrong : {0U, 7U, 8U, 511U, 512U, 4095U}) {
    auto data = filled(12288, 4096);
    data[wrong] ^= std::byte{1};
    EXPECT_EQ(first_wrong_byte(12288, data), 12288U + wrong);
  }
}

TEST(Pattern, PageOfAnotherOffsetIsWrongFromItsStart) {
  const auto page = filled(4096, 4096);
  const auto wrong = first_wrong_byte(8192, page);
  ASSERT_TRUE(wrong.has_value());
  EXPECT_LT(*wrong, 8200U);
}

TEST(Pattern, ZeroedPageIsNeverRight) {
  const std::vector<std::byte> zero(4096);
  for (std::uint64_t page = 0; page < 64; ++page)
    EXPECT_TRUE(first_wrong_byte(page * 4096, zero).has_value());
}

TEST(Pattern, WordsOfDifferentOffsetsDiffer) {
  std::set<std::uint64_t> words;
  for (std::uint64_t offset = 0; offset < 65536; offset += 8) words.insert(pattern_word(offset));
  EXPECT_EQ(words.size(), 65536U / 8);
}

}  // namespace
}  // namespace stallproof
