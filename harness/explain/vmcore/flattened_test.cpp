// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/flattened.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace stallproof {
namespace {

std::string number(std::int64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xffU);
  return bytes;
}

std::string piece(std::int64_t place, const std::string& content) {
  return number(place) + number(static_cast<std::int64_t>(content.size())) + content;
}

const std::string kEnd = number(-1) + number(-1);

std::string header() {
  std::string bytes = "makedumpfile";
  bytes.resize(4096, '\0');
  return bytes;
}

Result<Fd> undo(const std::string& content) {
  const Fd from(::memfd_create("flattened", MFD_CLOEXEC));
  EXPECT_EQ(::write(from.get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  return unflatten(from.get());
}

TEST(Flattened, IsKnownByItsSignature) {
  EXPECT_TRUE(is_flattened(header()));
  EXPECT_FALSE(is_flattened("KDUMP   "));
  EXPECT_FALSE(is_flattened(""));
}

TEST(Flattened, PiecesGoWhereTheyBelongAndLaterOnesWin) {
  const auto whole = undo(header() + piece(6, "world") + piece(0, "HELLO ") + piece(0, "h") + kEnd);
  ASSERT_TRUE(whole) << whole.error().what;
  std::string read(16, '\0');
  EXPECT_EQ(::pread(whole->get(), read.data(), read.size(), 0), 11);
  EXPECT_EQ(read.substr(0, 11), "hELLO world");
}

TEST(Flattened, EarlyEndIsAnError) {
  const std::string good = header() + piece(0, "abcdef") + kEnd;
  for (std::size_t size = 0; size < good.size(); size += 3)
    EXPECT_FALSE(undo(good.substr(0, size))) << size;
  EXPECT_TRUE(undo(good));
}

TEST(Flattened, SizesAndPlacesThatNoDumpHasAreAnError) {
  EXPECT_FALSE(undo(header() + number(0) + number(0) + kEnd));
  EXPECT_FALSE(undo(header() + number(-5) + number(1) + "x" + kEnd));
  EXPECT_FALSE(undo(header() + number(0) + number(INT64_MAX) + "x" + kEnd));
  EXPECT_FALSE(undo(header() + number(INT64_MAX) + number(1) + "x" + kEnd));
}

}  // namespace
}  // namespace stallproof
