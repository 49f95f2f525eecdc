// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "harness/base/clock.h"
#include "harness/store/history_fixture.h"
#include "harness/store/history_runs.h"
#include "harness/store/history_schema.h"

namespace stallproof {
namespace {

class HistoryTroubleTest : public HistoryFixture {
 protected:
  [[nodiscard]] std::string refused() const {
    const auto history = History::open(root_);
    return history ? "" : history.error().what;
  }
  void make_with(const std::string& sql) const {
    Database database;
    database.open(file(), Database::Access::read_write, kSecond);
    database.execute(sql);
    ASSERT_TRUE(database.sound()) << database.problem();
  }
};

TEST_F(HistoryTroubleTest, GarbageIsRefusedWithWhatToDoAndMovedAsideByRebuild) {
  std::ofstream(file()) << std::string(5000, 'x');
  save("a", {});
  EXPECT_NE(refused().find("stallproof history rebuild"), std::string::npos) << refused();
  EXPECT_EQ(refused().find('\n'), std::string::npos);
  std::string aside;
  auto history = History::open_undamaged(root_, aside);
  ASSERT_TRUE(history);
  EXPECT_EQ(std::filesystem::file_size(aside), 5000U);
  EXPECT_EQ((*history)->rebuild({})->runs, 1U);
}

TEST_F(HistoryTroubleTest, ATruncatedFileIsDamaged) {
  for (int i = 0; i < 200; ++i) save("run" + std::to_string(i), {.build = std::to_string(i)});
  picked_up().reset();
  std::filesystem::resize_file(file(), std::filesystem::file_size(file()) / 2);
  EXPECT_NE(refused().find("rebuild"), std::string::npos) << refused();
  std::string aside;
  auto history = History::open_undamaged(root_, aside);
  ASSERT_TRUE(history);
  EXPECT_FALSE(aside.empty());
  EXPECT_EQ((*history)->rebuild({})->runs, 200U);
}

TEST_F(HistoryTroubleTest, AnotherProgramsFileIsNeverTouched) {
  make_with("CREATE TABLE theirs (x); PRAGMA application_id = 42");
  const auto before = read_file(file());
  EXPECT_NE(refused().find("another program"), std::string::npos) << refused();
  std::string aside;
  EXPECT_FALSE(History::open_undamaged(root_, aside));
  EXPECT_EQ(aside, "");
  EXPECT_EQ(*read_file(file()), *before);
}

TEST_F(HistoryTroubleTest, AFileWithTablesAndNoApplicationIsAnotherPrograms) {
  make_with("CREATE TABLE theirs (x)");
  EXPECT_NE(refused().find("another program"), std::string::npos) << refused();
}

TEST_F(HistoryTroubleTest, ANewerSchemaIsRefusedWithWhatToDo) {
  picked_up().reset();
  make_with("PRAGMA user_version = 99");
  EXPECT_NE(refused().find("newer stallproof (schema 99"), std::string::npos) << refused();
  EXPECT_NE(refused().find("move the file away"), std::string::npos);
}

TEST_F(HistoryTroubleTest, AnEmptyFileIsOneToBegin) {
  std::ofstream(file()) << "";
  save("a", {});
  EXPECT_EQ(find_runs(*picked_up(), {}, 0)->all, 1);
  Database database;
  database.open(file(), Database::Access::read, kSecond);
  EXPECT_EQ(database.number("PRAGMA application_id"), kHistoryApplication);
  EXPECT_EQ(database.number("PRAGMA user_version"), history_schema_version());
}

TEST_F(HistoryTroubleTest, ALockedFileIsWaitedForASecondAndTheRunsAreLeftForLater) {
  picked_up().reset();
  Database other;
  other.open(file(), Database::Access::read_write, kSecond);
  other.execute("BEGIN IMMEDIATE");
  save("late", {});
  auto history = open();
  const Nanos began = monotonic_now();
  const auto found = history->pick_up();
  const Nanos waited = monotonic_now() - began;
  ASSERT_TRUE(found);
  EXPECT_EQ(found->added, 0U);
  EXPECT_NE(found->left_out.find("locked"), std::string::npos) << found->left_out;
  EXPECT_GE(waited, 900 * kMillisecond);
  EXPECT_LE(waited, 2 * kSecond);
  // Reading goes on, and the next one picks it up.
  EXPECT_EQ(find_runs(*history, {}, 0)->all, 0);
  other.execute("ROLLBACK");
  EXPECT_EQ(history->pick_up()->added, 1U);
}

TEST_F(HistoryTroubleTest, WhereNothingCanBeWrittenAnIndexInMemoryAnswers) {
  // A file where the state directory should be: for root, too, nothing can be made in it.
  const std::string state = root_ + "/not/there";
  std::ofstream(root_ + "/not") << "x";
  auto history = History::open(state);
  ASSERT_TRUE(history);
  EXPECT_FALSE((*history)->can_write());
  EXPECT_TRUE((*history)->pick_up());
  EXPECT_FALSE((*history)->rebuild({}));
}

}  // namespace
}  // namespace stallproof
