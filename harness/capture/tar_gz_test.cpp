// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/tar_gz.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

std::vector<ArchiveFile> some_files() {
  return {{"incident.json", "{}\n"}, {"empty.txt", ""}, {"long.txt", std::string(100'000, 'x')}};
}

TEST(TarGz, WhatIsPackedIsRead) {
  const auto packed = make_tar_gz("capture-1", some_files(), 1'700'000'000);
  ASSERT_TRUE(packed);
  const auto read = read_tar_gz(*packed);
  ASSERT_TRUE(read) << read.error().what;
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ((*read)[0].name, "capture-1/incident.json");
  EXPECT_EQ((*read)[1].content, "");
  EXPECT_EQ((*read)[2].content, some_files()[2].content);
}

TEST(TarGz, TooLongNamesAreRefused) {
  EXPECT_FALSE(make_tar_gz("folder", {{std::string(99, 'n'), "x"}}, 0));
}

TEST(TarGz, EveryCutIsRefusedAndNoneCrashes) {
  const std::string packed = *make_tar_gz("capture-1", some_files(), 0);
  for (std::size_t size = 0; size < packed.size(); ++size)
    EXPECT_FALSE(read_tar_gz(std::string_view(packed).substr(0, size)));
}

TEST(TarGz, DamagedBytesNeverCrash) {
  const std::string packed = *make_tar_gz("capture-1", some_files(), 0);
  for (std::size_t at = 0; at < packed.size(); ++at) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    [[maybe_unused]] const auto read = read_tar_gz(damaged);
  }
}

TEST(TarGz, SmallFileThatGrowsHugeIsRefused) {
  const auto packed = make_tar_gz("c", {{"zeros", std::string(10'000'000, '\0')}}, 0);
  EXPECT_FALSE(read_tar_gz(*packed, 1'000'000));
  EXPECT_TRUE(read_tar_gz(*packed));
}

}  // namespace
}  // namespace stallproof
