// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/dump_length.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr std::size_t kBlock = 4096;

template <class T>
void put(std::string& bytes, std::size_t at, const T& value) {
  std::memcpy(&bytes[at], &value, sizeof(T));
}

// Header, second header, two bitmaps of a block each, two descriptions, two pages of 100 bytes.
std::string kdump() {
  constexpr std::size_t kTable = 4 * kBlock;
  constexpr std::size_t kPages = kTable + 48;
  std::string bytes(kPages + 200, '\0');
  bytes.replace(0, 8, "KDUMP   ");
  put(bytes, 428, std::int32_t{kBlock});
  put(bytes, 432, std::int32_t{1});
  put(bytes, 436, std::uint32_t{2});
  bytes[3 * kBlock] = 0x05;  // pages 0 and 2
  for (std::size_t i = 0; i < 2; ++i) {
    put(bytes, kTable + i * 24, static_cast<std::int64_t>(kPages + i * 100));
    put(bytes, kTable + i * 24 + 8, std::uint32_t{100});
  }
  return bytes;
}

std::string elf() {
  std::string bytes(sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + 50, '\0');
  Elf64_Ehdr head{};
  std::memcpy(head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_phoff = sizeof(head);
  head.e_phentsize = sizeof(Elf64_Phdr);
  head.e_phnum = 1;
  Elf64_Phdr part{};
  part.p_offset = sizeof(head) + sizeof(part);
  part.p_filesz = 50;
  put(bytes, 0, head);
  put(bytes, sizeof(head), part);
  return bytes;
}

Result<> check(const std::string& content) {
  const Fd file(::memfd_create("dump", MFD_CLOEXEC));
  EXPECT_EQ(::write(file.get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  return check_length(file.get());
}

TEST(DumpLength, WholeDumpsAreWhole) {
  EXPECT_TRUE(check(kdump()));
  EXPECT_TRUE(check(elf()));
  EXPECT_TRUE(check("something else, which the library may know"));
}

TEST(DumpLength, EveryCutIsSeen) {
  const std::string whole = kdump();
  for (std::size_t size = 8; size < whole.size(); size += 61)
    EXPECT_FALSE(check(whole.substr(0, size))) << size;
  for (std::size_t size = 4; size < 8; ++size) EXPECT_TRUE(check(whole.substr(0, size))) << size;
  const std::string other = elf();
  for (std::size_t size = 8; size < other.size(); ++size)
    EXPECT_FALSE(check(other.substr(0, size))) << size;
}

TEST(DumpLength, SaysHowMuchIsMissing) {
  const std::string whole = kdump();
  const auto cut = check(whole.substr(0, whole.size() - 1));
  ASSERT_FALSE(cut);
  EXPECT_NE(cut.error().what.find(std::to_string(whole.size())), std::string::npos)
      << cut.error().what;
}

TEST(DumpLength, DamagedSizesAndMarksOfMakedumpfileAreErrors) {
  std::string bytes = kdump();
  put(bytes, 428, std::int32_t{-1});
  EXPECT_FALSE(check(bytes));
  bytes = kdump();
  put(bytes, 436, ~std::uint32_t{0});
  EXPECT_FALSE(check(bytes));
  bytes = kdump();
  put(bytes, 4 * kBlock, std::int64_t{-1});
  EXPECT_FALSE(check(bytes));
  bytes = kdump();
  bytes[424] = 8;
  const auto incomplete = check(bytes);
  ASSERT_FALSE(incomplete);
  EXPECT_NE(incomplete.error().what.find("incomplete"), std::string::npos);
}

TEST(DumpLength, UnknownCompressionIsToldWithAWayOut) {
  std::string bytes = kdump();
  for (const std::uint32_t known : {0U, 1U, 2U, 4U, 0x20U}) {
    put(bytes, 4 * kBlock + 12, known);
    EXPECT_TRUE(check(bytes)) << known;
  }
  put(bytes, 4 * kBlock + 12, std::uint32_t{0x40});
  const auto other = check(bytes);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().what.find("1 of its 2 pages"), std::string::npos) << other.error().what;
  EXPECT_NE(other.error().what.find("--crash-script"), std::string::npos) << other.error().what;
}

}  // namespace
}  // namespace stallproof
