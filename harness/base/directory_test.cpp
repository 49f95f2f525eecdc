// SPDX-License-Identifier: Apache-2.0
#include "harness/base/directory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace stallproof {
namespace {

TEST(Directory, NumbersComeInTheirOrderAndNamesInThatOfLetters) {
  const std::string root = ::testing::TempDir() + "/directory_test";
  std::filesystem::remove_all(root);
  std::filesystem::create_directory(root);
  for (const char* name : {"10", "9", "self", "100"}) std::ofstream(root + "/" + name);
  EXPECT_EQ(names_in(root), (std::vector<std::string>{"10", "100", "9", "self"}));
  EXPECT_EQ(numbers_in(root), (std::vector<std::string>{"9", "10", "100"}));
  std::filesystem::remove_all(root);
}

TEST(Directory, OneThatIsNotThereHoldsNothing) {
  EXPECT_TRUE(names_in("/nonexistent/directory").empty());
}

}  // namespace
}  // namespace stallproof
