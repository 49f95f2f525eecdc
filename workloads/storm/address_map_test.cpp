// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/address_map.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

MapOperation touching(std::uint64_t address, std::uint64_t length) {
  return {.address = address, .length = length, .call = MapCall::madvise};
}

TEST(AddressMap, NeighboursStayNeighbours) {
  const auto map = AddressMap::of({touching(0x7f0000200000, kMiB), touching(0x7f0000100000, kMiB),
                                   touching(0x7f0000300000, 4 * kMiB)});
  ASSERT_TRUE(map);
  const std::uint64_t first = map->offset_of(0x7f0000100000);
  EXPECT_EQ(map->offset_of(0x7f0000200000), first + kMiB);
  EXPECT_EQ(map->offset_of(0x7f0000300000), first + 2 * kMiB);
  EXPECT_EQ(map->offset_of(0x7f0000201000), first + kMiB + 4096);
}

TEST(AddressMap, PlaceWithinAHugePageIsKept) {
  const auto map = AddressMap::of({touching(0x7f0000123000, 4096), touching(0x555555554000, 4096)});
  ASSERT_TRUE(map);
  EXPECT_EQ(map->offset_of(0x7f0000123000) % kMapChunk, 0x123000U);
  EXPECT_EQ(map->offset_of(0x555555554000) % kMapChunk, 0x555555554000U % kMapChunk);
}

TEST(AddressMap, StrangersStayApartAndEmptySpaceIsLeftOut) {
  const auto map = AddressMap::of({touching(0x400000, 4096), touching(0x7f0000000000, 4096)});
  ASSERT_TRUE(map);
  EXPECT_GE(map->offset_of(0x7f0000000000), map->offset_of(0x400000) + 2 * kMapChunk);
  EXPECT_LE(map->size(), 8 * kMapChunk);
}

TEST(AddressMap, EveryTouchedByteIsInside) {
  const std::uint64_t end = kMapEnd - 4096;
  const auto map = AddressMap::of({touching(end, 4096),
                                   touching(0, 4096),
                                   {.address = 0x600000,
                                    .length = 3 * kMiB,
                                    .from_address = 0x10000000,
                                    .from_length = 5 * kMiB,
                                    .call = MapCall::mremap},
                                   {.address = 0x20000123, .call = MapCall::brk},
                                   {.address = 0x20900000, .call = MapCall::brk}});
  ASSERT_TRUE(map);
  for (const std::uint64_t at :
       {end + 4095, std::uint64_t{4095}, std::uint64_t{0x600000 + 3 * kMiB},
        std::uint64_t{0x10000000 + 5 * kMiB}, std::uint64_t{0x20900000}})
    EXPECT_LT(map->offset_of(at), map->size()) << at;
  EXPECT_EQ(map->offset_of(0x20900000) - map->offset_of(0x20000123), 0x20900000U - 0x20000123U);
  EXPECT_EQ(map->offset_of(0x10000000 + 5 * kMiB) - map->offset_of(0x10000000), 5 * kMiB);
}

TEST(AddressMap, MoreThanFitsIsRefused) {
  const auto map = AddressMap::of({touching(0, kMapEnd)});
  ASSERT_FALSE(map);
  EXPECT_NE(map.error().what.find("128 TiB"), std::string::npos) << map.error().what;
}

TEST(AddressMap, NothingTouchedNeedsNothing) {
  const auto map = AddressMap::of({{.call = MapCall::exit}});
  ASSERT_TRUE(map);
  EXPECT_EQ(map->size(), 0U);
}

}  // namespace
}  // namespace stallproof
