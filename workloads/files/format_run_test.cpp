// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/format_run.h"

#include <fstream>

#include "workloads/files/control_file.h"
#include "workloads/files/testing/file_runs.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;
class Format : public FileRuns {};

TEST_F(Format, MakesEveryFileWithItsSize) {
  const auto outcome = run(format_of(anchor(2, 2, 5, {10'000, 50, 3000, 50})));
  ASSERT_TRUE(outcome) << outcome.error().what;
  const AnchorTree& tree = last_tree();
  for (FileNumber file = 0; file < tree.files(); ++file)
    EXPECT_EQ(fs::file_size(tree.file_path(file)), tree.size_of(file));
  EXPECT_EQ(files_on_disk(), 20U);
  EXPECT_EQ(outcome->totals.of(FileOperation::mkdir).count, 6U);
  EXPECT_EQ(outcome->totals.of(FileOperation::create).count, 20U);
  EXPECT_EQ(outcome->totals.requested.count, outcome->totals.of(FileOperation::write).count);
  EXPECT_EQ(outcome->totals.of(FileOperation::write).bytes, tree.bytes());
  EXPECT_EQ(outcome->progress->files_made.load(), 20U);
  EXPECT_EQ(outcome->progress->files_wanted.load(), 20U);
}

TEST_F(Format, RestartMakesOnlyWhatIsMissing) {
  const JobAnchor wanted = anchor(1, 2, 5, {8192});
  ASSERT_TRUE(run(format_of(wanted)));
  fs::remove(last_tree().file_path(3));
  fs::resize_file(last_tree().file_path(7), 4096);
  const auto outcome = run(format_of(wanted, {.restart = true}));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->totals.of(FileOperation::create).count, 2U);
  EXPECT_EQ(outcome->totals.of(FileOperation::mkdir).count, 0U);
  EXPECT_EQ(outcome->totals.of(FileOperation::write).bytes, 8192U + 4096U);
  EXPECT_EQ(fs::file_size(last_tree().file_path(7)), 8192U);
  EXPECT_EQ(outcome->progress->files_made.load(), 10U);
}

TEST_F(Format, AnewRemovesTheTreeOfAnotherShape) {
  ASSERT_TRUE(run(format_of(anchor(2, 2, 2))));
  const auto outcome = run(format_of(anchor(1, 1, 3)));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->totals.of(FileOperation::erase).count, 8U);
  EXPECT_EQ(outcome->totals.of(FileOperation::rmdir).count, 6U);
  EXPECT_EQ(files_on_disk(), 3U);
}

TEST_F(Format, CleanLeavesWhatIsNotItsOwn) {
  ASSERT_TRUE(run(format_of(anchor(1, 2, 2))));
  std::ofstream(folder_ + "/mine.file") << "x";
  const auto outcome = run(format_of(anchor(1, 2, 2), {.clean_only = true}));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(files_on_disk(), 1U);
  EXPECT_TRUE(fs::exists(folder_ + "/mine.file"));
  EXPECT_EQ(outcome->ended_by, 0);
}

TEST_F(Format, AForeignFileInAFolderEndsIt) {
  ASSERT_TRUE(run(format_of(anchor(1, 1, 2))));
  std::ofstream(folder_ + "/vdb.1_1.dir/mine") << "x";
  const auto outcome = run(format_of(anchor(1, 1, 2)));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->ended_by, ENOTEMPTY);
  EXPECT_TRUE(fs::exists(folder_ + "/vdb.1_1.dir/mine"));
}

TEST_F(Format, OfFoldersMakesNoFiles) {
  const auto outcome = run(format_of(anchor(3, 2, 4), {.folders_only = true}));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->progress->folders_made.load(), 14U);
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_F(Format, ATotalSizeMakesFilesUpToIt) {
  JobAnchor wanted = anchor(1, 4, 25);
  wanted.total_size = 30 * 4096;
  ASSERT_TRUE(run(format_of(wanted)));
  EXPECT_EQ(files_on_disk(), 30U);
}

TEST_F(Format, AMissingAnchorIsRefusedOrMade) {
  JobAnchor wanted = anchor(1, 1, 1);
  wanted.path += "/below/it";
  FileJob job = format_of(wanted);
  const auto refused = run(job);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("create_anchors=yes"), std::string::npos);
  job.create_anchors = true;
  ASSERT_TRUE(run(job));
  EXPECT_EQ(files_on_disk(), 1U);
}

TEST_F(Format, AControlFileTellsTheShapeAndWhatIsThere) {
  ASSERT_TRUE(run(format_of(anchor(1, 2, 3))));
  const std::string text = control_text(last_tree(), ControlTime::end);
  EXPECT_NE(text.find("depth 1\nwidth 2\nfiles 3\ndist  bottom\nsize  4096\n"
                      "directory status 2\ny\ny\nfile status 6\nf\n= 4\nf\nchecksum: "),
            std::string::npos)
      << text;
  FileJob job = format_of(anchor(1, 2, 4), {.restart = true});
  const auto refused = run(job);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("another shape"), std::string::npos);
  // One that was cut short tells nothing.
  std::ofstream(folder_ + "/" + kControlFile) << text.substr(0, text.size() / 2);
  EXPECT_TRUE(run(job));
}

}  // namespace
}  // namespace stallproof
