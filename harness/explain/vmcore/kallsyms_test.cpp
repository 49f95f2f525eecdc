// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/kallsyms.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "harness/explain/vmcore/memory_fixture.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kBase = 0xffffffff9a000000ULL;
constexpr KallsymsPlaces kPlaces{.names = 0xffffffff9b000ff0ULL,
                                 .num_syms = 0xffffffff9b100000ULL,
                                 .token_table = 0xffffffff9b200000ULL,
                                 .token_index = 0xffffffff9b300000ULL,
                                 .offsets = 0xffffffff9b400000ULL,
                                 .relative_base = 0xffffffff9b500000ULL,
                                 .stext = kBase};

struct Named {
  std::int32_t offset;
  std::string name;  // type letter first
};

// Every character is a token of its own; token 1 is "sched".
MadeMemory table(const std::vector<Named>& symbols) {
  MadeMemory memory;
  std::array<std::uint16_t, 256> index{};
  std::string tokens;
  for (std::size_t i = 0; i < index.size(); ++i) {
    index[i] = static_cast<std::uint16_t>(tokens.size());
    tokens += i == 1 ? "sched" : std::string(1, static_cast<char>(i == 0 ? '?' : i));
    tokens += '\0';
  }
  std::string names;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const std::string& name = symbols[i].name;
    if (name.size() < 128) {
      names += static_cast<char>(name.size());
    } else {
      names += static_cast<char>(0x80U | (name.size() & 0x7fU));
      names += static_cast<char>(name.size() >> 7U);
    }
    names += name;
    memory.put(kPlaces.offsets + i * 4, symbols[i].offset);
  }
  // Whole pages, as a dump has them.
  memory.zeros(kPlaces.names & ~4095ULL, 3 * 4096);
  memory.zeros(kPlaces.token_table, 4096);
  memory.put_text(kPlaces.token_table, tokens).put(kPlaces.token_index, index);
  memory.put_text(kPlaces.names, names);
  memory.put(kPlaces.num_syms, static_cast<std::uint32_t>(symbols.size()));
  memory.put(kPlaces.relative_base, kBase);
  return memory;
}

using Found = std::map<std::string, std::uint64_t>;

Result<> read(const MadeMemory& memory, Found& found) {
  return read_kallsyms(memory, kPlaces,
                       [&found](std::uint64_t at, char type, std::string_view name) {
                         found[std::string(1, type) + std::string(name)] = at;
                       });
}

TEST(Kallsyms, NegativeOffsetsArePlacesAndPositiveOnesNumbers) {
  Found found;
  const auto done =
      read(table({{0x1000, "Aper_cpu"}, {-1, "T_stext"}, {-0x101, "t\001ule"}}), found);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(found["Aper_cpu"], 0x1000U);
  EXPECT_EQ(found["T_stext"], kBase);
  EXPECT_EQ(found["tschedule"], kBase + 0x100);
}

TEST(Kallsyms, PlainOffsetsAreAddedToTheBase) {
  Found found;
  const auto done = read(table({{0, "T_stext"}, {0x40, "tf"}, {0x80, "tg"}}), found);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(found["tg"], kBase + 0x80);
}

TEST(Kallsyms, LongNamesHaveALengthOfTwoBytes) {
  Found found;
  const std::string name = "t" + std::string(299, 'x');
  ASSERT_TRUE(read(table({{0, "T_stext"}, {0x40, name}, {0x80, "tg"}}), found));
  EXPECT_EQ(found[name], kBase + 0x40);
  EXPECT_EQ(found["tg"], kBase + 0x80);
}

TEST(Kallsyms, TableThatDoesNotAgreeWithVmcoreinfoIsRefused) {
  Found found;
  EXPECT_FALSE(read(table({{0x40, "T_stext"}, {0x80, "tg"}}), found));
  EXPECT_FALSE(read(table({{0, "tf"}}), found));
}

TEST(Kallsyms, MissingAndDamagedPartsAreErrors) {
  const std::vector<Named> symbols{{0, "T_stext"}, {0x40, "tf"}};
  Found found;
  MadeMemory memory = table(symbols);
  ASSERT_TRUE(read(memory, found));
  for (const std::uint64_t part : {kPlaces.names, kPlaces.num_syms, kPlaces.token_table,
                                   kPlaces.token_index, kPlaces.offsets, kPlaces.relative_base})
    EXPECT_FALSE(read(table(symbols).forget(part, 4), found)) << std::hex << part;
  EXPECT_FALSE(read(table(symbols).put(kPlaces.num_syms, std::uint32_t{0}), found));
  EXPECT_FALSE(read(table(symbols).put(kPlaces.num_syms, ~std::uint32_t{0}), found));
  EXPECT_FALSE(read(table(symbols).put(kPlaces.names, std::uint16_t{0xffff}), found));
}

TEST(Kallsyms, PlacesComeFromVmcoreinfo) {
  const std::string all =
      "SYMBOL(_stext)=ffffffff9a000000\nSYMBOL(kallsyms_names)=1\nSYMBOL(kallsyms_num_syms)=2\n"
      "SYMBOL(kallsyms_token_table)=3\nSYMBOL(kallsyms_token_index)=4\n"
      "SYMBOL(kallsyms_offsets)=5\nSYMBOL(kallsyms_relative_base)=6\n";
  const auto places = KallsymsPlaces::of(Vmcoreinfo(all));
  ASSERT_TRUE(places);
  EXPECT_EQ(places->offsets, 5U);
  EXPECT_EQ(places->stext, kBase);
  EXPECT_FALSE(KallsymsPlaces::of(Vmcoreinfo("OSRELEASE=3.10.0-957.el7.x86_64\n")));
}

TEST(Vmcoreinfo, LinesThatAreNoneAreLeftOut) {
  const Vmcoreinfo info("OSRELEASE=6.1.0\nnonsense\n=x\nSYMBOL(a)=zz\nKERNELOFFSET=19000000");
  EXPECT_EQ(info.release(), "6.1.0");
  EXPECT_FALSE(info.symbol("a"));
  EXPECT_EQ(info.kernel_offset(), 0x19000000U);
  EXPECT_TRUE(Vmcoreinfo("\001\002").empty());
  EXPECT_EQ(Vmcoreinfo("OSRELEASE=a\033[31m").release(), "");
}

}  // namespace
}  // namespace stallproof
