// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/saved_explanation.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

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

TEST_F(SavedExplanationTest, TwoIncidentsAreOneJsonDocument) {
  save("001", "explanation.json", "{\"class\":\"a\"}\n");
  EXPECT_EQ(read_saved_explanations(run_, "json")->text, "{\"class\":\"a\"}\n");
  save("002", "explanation.json", "{\"class\":\"b\"}\n");
  const auto two = nlohmann::json::parse(read_saved_explanations(run_, "json")->text);
  EXPECT_EQ(two["explanations"].size(), 2);
  EXPECT_EQ(two["explanations"][1]["class"], "b");
  save("003", "explanation.json", "{\"cla");
  const auto cut = read_saved_explanations(run_, "json");
  ASSERT_TRUE(cut) << cut.error().what;
  EXPECT_EQ(nlohmann::json::parse(cut->text), two);
  EXPECT_NE(cut->problems.find("003/explanation.json"), std::string::npos);
}

TEST_F(SavedExplanationTest, SnapshotsOfARunAreThoseOfItsIncidents) {
  const auto quiet = find_saved_snapshots(run_);
  ASSERT_FALSE(quiet);
  EXPECT_EQ(quiet.error().origin, Origin::user);
  save("002", "snapshot.json", "{}\n");
  save("001", "snapshot.json", "{}\n");
  save("003", "incident.json", "{}\n");
  const auto run = find_saved_snapshots(run_);
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_EQ(run->files, (std::vector<std::string>{incident("001") + "/snapshot.json",
                                                  incident("002") + "/snapshot.json"}));
  EXPECT_NE(run->problems.find("003/snapshot.json"), std::string::npos);
  const auto one = find_saved_snapshots(incident("002"));
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_EQ(one->files, std::vector<std::string>{incident("002") + "/snapshot.json"});
  const auto none = find_saved_snapshots(incident("003"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().origin, Origin::infra);
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
