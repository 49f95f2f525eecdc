// SPDX-License-Identifier: Apache-2.0
#include "harness/store/night_runs.h"

#include <fcntl.h>
#include <sys/file.h>

#include "harness/base/fd.h"
#include "harness/store/history_fixture.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "20261126-210000.001-data-42";

class NightRuns : public HistoryFixture {
 protected:
  // A run of a night, as it lies there.
  [[nodiscard]] std::string put(const std::string& name, const std::string& night = "n1") const {
    const std::string directory = root_ + "/runs/" + name;
    Verdict verdict;
    verdict.run = name;
    verdict.started = "2026-06-03T10:00:00.000+00:00";
    if (!night.empty()) verdict.labels[kNightLabel] = night;
    EXPECT_TRUE(make_directories(directory + "/incidents"));
    EXPECT_TRUE(write_file_atomically(directory + "/run.id", name + "\n"));
    EXPECT_TRUE(write_file_atomically(directory + "/verdict.json", verdict_json(verdict)));
    return directory;
  }
  [[nodiscard]] std::vector<NightRun> found() const { return find_night_runs(root_ + "/runs"); }
  static void put_incident(const std::string& run, const std::string& id, bool evidence) {
    const std::string folder = run + "/incidents/" + id;
    EXPECT_TRUE(make_directories(folder));
    EXPECT_TRUE(write_file_atomically(
        folder + "/incident.json",
        R"({"id":")" + id + R"(","class":"c","signature":"s)" + id +
            R"(","onset_ms":1,"detected_ms":2,"resolved_ms":null,"loads":[],"sources":[],)"
            R"("support":[],"blocked_tasks":1,"cycle_confirmed":false})"));
    if (evidence) {
      EXPECT_TRUE(write_file_atomically(folder + "/stacks.txt", "x"));
    }
  }
};

TEST_F(NightRuns, OnesWithTheirLabelAreFoundWithWhatTheyHold) {
  const std::string directory = put(kName);
  put_incident(directory, "001", true);
  put_incident(directory, "002", false);
  const auto runs = found();
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].kept.directory, directory);
  EXPECT_EQ(runs[0].night, "n1");
  EXPECT_GT(runs[0].kept.bytes, 1000U);
  EXPECT_EQ(runs[0].kept.signatures, std::set<std::string>{"s001"});
}

TEST_F(NightRuns, WhatSomebodyRanByHandIsNot) {
  [[maybe_unused]] const auto by_hand = put(kName, "");
  EXPECT_TRUE(found().empty());
}

TEST_F(NightRuns, WhatOnlyLooksLikeOneIsNot) {
  const std::string copied = put("20261126-210000.002-data-43");
  ASSERT_TRUE(write_file_atomically(copied + "/run.id", std::string(kName) + "\n"));
  [[maybe_unused]] const auto renamed = put("my-favourite-run");
  const std::string damaged = put("20261126-210000.003-data-44");
  ASSERT_TRUE(write_file_atomically(damaged + "/verdict.json", "{"));
  const std::string unfinished = put("20261126-210000.004-data-45");
  fs::remove(unfinished + "/verdict.json");
  ASSERT_TRUE(make_directories(root_ + "/elsewhere"));
  fs::create_directory_symlink(root_ + "/elsewhere", root_ + "/runs/20261126-210000.005-x-1");
  EXPECT_TRUE(found().empty());
}

TEST_F(NightRuns, OneThatGoesOnIsNeitherFoundNorRemoved) {
  const std::string directory = put(kName);
  const Fd held(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  EXPECT_TRUE(found().empty());
  EXPECT_FALSE(remove_run_directory(directory));
  EXPECT_TRUE(fs::exists(directory + "/verdict.json"));
}

TEST_F(NightRuns, RemovalFollowsNoLink) {
  const std::string directory = put(kName);
  ASSERT_TRUE(make_directories(root_ + "/mine"));
  ASSERT_TRUE(write_file_atomically(root_ + "/mine/file", "x"));
  fs::create_directory_symlink(root_ + "/mine", directory + "/link");
  const auto removed = remove_run_directory(directory);
  ASSERT_TRUE(removed) << removed.error().what;
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_TRUE(fs::exists(root_ + "/mine/file"));
  EXPECT_TRUE(fs::is_empty(root_ + "/runs"));
}

TEST_F(NightRuns, WhatWasRemovedInPartIsRemovedByTheNextNightAndNothingElse) {
  ASSERT_TRUE(make_directories(root_ + "/runs/.removing-" + kName + "/incidents"));
  ASSERT_TRUE(make_directories(root_ + "/runs/.removing-mine"));
  remove_remains(root_ + "/runs", [] {});
  EXPECT_FALSE(fs::exists(root_ + "/runs/.removing-" + kName));
  EXPECT_TRUE(fs::exists(root_ + "/runs/.removing-mine"));
}

}  // namespace
}  // namespace stallproof
