// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/saved_explanation.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "harness/base/file.h"

namespace stallproof {
namespace {

class SavedExplanationTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(run_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(run_); }

  [[nodiscard]] std::string incident(const std::string& id) const {
    return run_ + "/incidents/" + id;
  }
  void save(const std::string& id, const std::string& name, const std::string& content) const {
    ASSERT_TRUE(make_directories(incident(id)));
    ASSERT_TRUE(write_file_atomically(incident(id) + "/" + name, content));
  }
  std::string run_ = ::testing::TempDir() + "stallproof-run-XXXXXX";
};

TEST_F(SavedExplanationTest, EveryFormatOfAnIncidentHasItsFile) {
  save("001", "explanation.txt", "in words\n");
  save("001", "explanation.json", "{}\n");
  save("001", "graph.dot", "digraph {}\n");
  save("001", "graph.svg", "<svg/>\n");
  EXPECT_EQ(read_saved_explanations(incident("001"), "text")->text, "in words\n");
  EXPECT_EQ(read_saved_explanations(incident("001"), "json")->text, "{}\n");
  EXPECT_EQ(read_saved_explanations(incident("001"), "dot")->text, "digraph {}\n");
  EXPECT_EQ(read_saved_explanations(incident("001"), "svg")->text, "<svg/>\n");
}

TEST_F(SavedExplanationTest, RunShowsItsIncidentsInOrder) {
  save("002", "explanation.txt", "second\n");
  save("001", "explanation.txt", "first\n");
  const auto saved = read_saved_explanations(run_, "text");
  ASSERT_TRUE(saved) << saved.error().what;
  EXPECT_EQ(saved->text, "first\n\nsecond\n");
  EXPECT_EQ(saved->problems, "");
  EXPECT_FALSE(read_saved_explanations(run_, "svg"));
}

TEST_F(SavedExplanationTest, IncidentWithoutAnExplanationIsNamed) {
  save("001", "explanation.txt", "first\n");
  save("002", "incident.json", "{}\n");
  const auto saved = read_saved_explanations(run_, "text");
  ASSERT_TRUE(saved) << saved.error().what;
  EXPECT_EQ(saved->text, "first\n");
  EXPECT_NE(saved->problems.find("002/explanation.txt"), std::string::npos);
  const auto alone = read_saved_explanations(incident("002"), "text");
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().origin, Origin::infra);
}

TEST_F(SavedExplanationTest, OtherDirectoriesAndQuietRunsAreOneErrorEach) {
  const auto other = read_saved_explanations(run_, "text");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().origin, Origin::user);
  ASSERT_TRUE(write_file_atomically(run_ + "/verdict.json", "{}\n"));
  const auto quiet = read_saved_explanations(run_, "text");
  ASSERT_FALSE(quiet);
  EXPECT_NE(quiet.error().what.find("had no incident"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
