// SPDX-License-Identifier: Apache-2.0
#include "harness/run/scenario_needs.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace stallproof {
namespace {

class ScenarioNeeds : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "needs-XXXXXX").string();
    place_ = ::mkdtemp(name.data());
    std::ofstream(place_ + "/fix") << "none\n";
  }
  void TearDown() override { std::filesystem::remove_all(place_); }
  [[nodiscard]] Need need(const std::string& file, const std::string& value = {}) const {
    return {place_ + "/" + file, "the module ffs_stub", "insmod ffs_stub.ko", value};
  }
  std::string place_;
};

TEST_F(ScenarioNeeds, WhatIsThereIsNoHindrance) {
  EXPECT_TRUE(check_needs("kmod", {}));
  EXPECT_TRUE(check_needs("kmod", std::vector{need("fix"), need("fix", "none")}));
}

TEST_F(ScenarioNeeds, WhatIsMissingIsOneLineWithWhatToTry) {
  const auto lacks = check_needs("kmod-mmap-lock", std::vector{need("fix"), need("gone")});
  ASSERT_FALSE(lacks);
  EXPECT_EQ(lacks.error().origin, Origin::lacking);
  const std::string& what = lacks.error().what;
  for (const char* part : {"kmod-mmap-lock needs the module ffs_stub", "/gone: No such file",
                           "insmod ffs_stub.ko", "ci/vm/run"})
    EXPECT_NE(what.find(part), std::string::npos) << what;
  EXPECT_EQ(what.find('\n'), std::string::npos);
}

TEST_F(ScenarioNeeds, AnotherValueIsNamed) {
  const auto lacks = check_needs("kmod-mmap-lock", std::vector{need("fix", "trylock")});
  ASSERT_FALSE(lacks);
  EXPECT_NE(lacks.error().what.find("says 'none'"), std::string::npos) << lacks.error().what;
}

}  // namespace
}  // namespace stallproof
