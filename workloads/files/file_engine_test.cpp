// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/file_engine.h"

#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/process.h"
#include "workloads/files/file_worker.h"
#include "workloads/files/testing/file_runs.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

constexpr Nanos kShort = 150 * kMillisecond;

class FileEngine : public FileRuns {
 protected:
  // A job on a tree that was made before.
  FileJob job_on(const JobAnchor& wanted, JobFileWorkload workload) {
    EXPECT_TRUE(run(format_of(wanted)));
    return {.anchors = {wanted}, .workloads = {std::move(workload)}};
  }
};

double count_of(const FileTotals& totals, FileOperation operation) {
  return static_cast<double>(totals.of(operation).count);
}

TEST_F(FileEngine, ReadingOnceReadsEveryFileToItsEnd) {
  const auto outcome = run(job_on(anchor(1, 2, 10, {10'000}), {.select_once = true, .threads = 4}));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->totals.of(FileOperation::open).count, 20U);
  EXPECT_EQ(outcome->totals.of(FileOperation::close).count, 20U);
  EXPECT_EQ(outcome->totals.of(FileOperation::read).count, 60U);  // 4096, 4096, 1808
  EXPECT_EQ(outcome->totals.of(FileOperation::read).bytes, 200'000U);
  EXPECT_EQ(outcome->ended_workloads, 1U);
  EXPECT_TRUE(outcome->faults.empty());
}

TEST_F(FileEngine, DeletingLeavesNone) {
  const auto outcome =
      run(job_on(anchor(2, 2, 10), {.operation = FileOperation::erase, .threads = 3}));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->totals.requested.count, 40U);
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_F(FileEngine, AMixOfReadsAndWritesKeepsItsPercentage) {
  const auto outcome =
      run(job_on(anchor(1, 1, 20),
                 {.read_percent = 70, .sequential = false, .select_random = true, .threads = 2}),
          kShort);
  ASSERT_TRUE(outcome) << outcome.error().what;
  const double reads = count_of(outcome->totals, FileOperation::read);
  const double all = reads + count_of(outcome->totals, FileOperation::write);
  ASSERT_GT(all, 2000);
  EXPECT_NEAR(100 * reads / all, 70, 3);
}

TEST_F(FileEngine, SharesAreKeptAsFastAsItGoes) {
  FileJob job = job_on(anchor(1, 1, 20), {.workload = 0, .threads = 2, .share = 75});
  job.workloads.push_back(
      {.workload = 1, .operation = FileOperation::getattr, .threads = 2, .share = 25});
  const auto outcome = run(job, kShort);
  ASSERT_TRUE(outcome) << outcome.error().what;
  const auto first = static_cast<double>(outcome->by_workload[0].requested.count);
  const auto second = static_cast<double>(outcome->by_workload[1].requested.count);
  ASSERT_GT(first + second, 2000);
  // As many as 2000 turns of one may be waiting when the run ends.
  EXPECT_NEAR(first, 3 * second, 6200 + 0.02 * first);
}

TEST_F(FileEngine, ARateIsNotExceeded) {
  FileJob job =
      job_on(anchor(1, 1, 20), {.operation = FileOperation::getattr, .threads = 2, .share = 100});
  job.rate = 1000;
  job.distribution = ArrivalDistribution::deterministic;
  const auto outcome = run(job, 500 * kMillisecond);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_GT(outcome->totals.requested.count, 100U);
  EXPECT_LT(outcome->totals.requested.count, 1000U);
}

TEST_F(FileEngine, StopAfterLimitsTheTransfersOfAFile) {
  const auto outcome = run(job_on(anchor(1, 1, 20, {1 << 20}),
                                  {.sequential = false, .select_once = true, .stop_after = 5}));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->totals.of(FileOperation::open).count, 20U);
  EXPECT_EQ(outcome->totals.of(FileOperation::read).count, 100U);
}

TEST_F(FileEngine, StopAfterInPercentIsOfTheFile) {
  const auto outcome =
      run(job_on(anchor(1, 1, 4, {100 * 4096}), {.select_once = true, .stop_after = -25}));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->totals.of(FileOperation::read).count, 100U);
}

TEST_F(FileEngine, WritingSequentiallyMakesTheFilesThatAreMissing) {
  ASSERT_TRUE(run(format_of(anchor(1, 2, 5, {8192}), {.folders_only = true})));
  FileJob job{.anchors = {anchor(1, 2, 5, {8192})},
              .workloads = {{.operation = FileOperation::write, .select_once = true}}};
  const auto outcome = run(job);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->totals.of(FileOperation::create).count, 10U);
  EXPECT_EQ(outcome->totals.of(FileOperation::write).count, 20U);
  EXPECT_EQ(fs::file_size(last_tree().file_path(9)), 8192U);
}

TEST_F(FileEngine, DeleteFirstRemovesAFullFileBeforeItIsWritten) {
  const auto outcome =
      run(job_on(anchor(1, 1, 6),
                 {.operation = FileOperation::write, .delete_first = true, .select_once = true}));
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->totals.of(FileOperation::erase).count, 6U);
  EXPECT_EQ(outcome->totals.of(FileOperation::create).count, 6U);
  EXPECT_EQ(files_on_disk(), 6U);
}

TEST_F(FileEngine, CreatingMakesEmptyFilesUntilAllAreThere) {
  ASSERT_TRUE(run(format_of(anchor(1, 2, 5), {.folders_only = true})));
  FileJob job{.anchors = {anchor(1, 2, 5)},
              .workloads = {{.operation = FileOperation::create, .threads = 2}}};
  const auto outcome = run(job);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->totals.of(FileOperation::create).count, 10U);
  EXPECT_EQ(outcome->totals.of(FileOperation::write).count, 0U);
  EXPECT_EQ(files_on_disk(), 10U);
}

TEST_F(FileEngine, FoldersAreMadeAndRemoved) {
  FileJob job{.anchors = {anchor(2, 3, 1)},
              .workloads = {{.operation = FileOperation::mkdir, .threads = 2}}};
  const auto made = run(job);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(made->totals.requested.count, 12U);
  job.workloads[0].operation = FileOperation::rmdir;
  const auto removed = run(job);
  ASSERT_TRUE(removed) << removed.error().what;
  EXPECT_EQ(removed->totals.requested.count, 12U);
  EXPECT_FALSE(fs::exists(folder_ + "/vdb.1_1.dir"));
}

TEST_F(FileEngine, CopyingWritesTheTargetAndMovingEmptiesTheSource) {
  JobAnchor source = anchor(1, 1, 5, {10'000});
  JobAnchor target = source;
  source.path += "/from";
  target.path += "/to";
  FileJob format = format_of(source);
  format.create_anchors = true;
  ASSERT_TRUE(run(format));
  FileJob folders = format_of(target, {.folders_only = true});
  folders.create_anchors = true;
  ASSERT_TRUE(run(folders));
  FileJob job{.anchors = {source, target},
              .workloads = {{.target = 1, .operation = FileOperation::copy}}};
  const auto copied = run(job);
  ASSERT_TRUE(copied) << copied.error().what;
  EXPECT_EQ(copied->totals.requested.count, 5U);
  EXPECT_EQ(fs::file_size(folder_ + "/to/vdb.1_1.dir/vdb_f0004.file"), 10'000U);
  job.workloads[0].operation = FileOperation::move;
  const auto moved = run(job);
  ASSERT_TRUE(moved) << moved.error().what;
  EXPECT_EQ(moved->totals.requested.count, 5U);
  EXPECT_EQ(files_on_disk(), 5U);
}

TEST_F(FileEngine, AttributesAreReadAndSetAndFilesOpenedAndClosed) {
  for (const FileOperation operation :
       {FileOperation::getattr, FileOperation::setattr, FileOperation::access, FileOperation::open,
        FileOperation::close}) {
    const auto outcome =
        run(job_on(anchor(1, 1, 7), {.operation = operation, .select_once = true}));
    ASSERT_TRUE(outcome) << outcome.error().what;
    EXPECT_EQ(outcome->totals.requested.count, 7U) << name_of(operation);
    EXPECT_TRUE(outcome->faults.empty());
  }
}

TEST_F(FileEngine, AnErrorIsNotedAndSurvived) {
  FileJob job = job_on(anchor(1, 1, 10), {.select_once = true});
  job.assume_complete = true;
  fs::remove(last_tree().file_path(4));
  const auto outcome = run(job);
  ASSERT_TRUE(outcome) << outcome.error().what;
  ASSERT_EQ(outcome->faults.size(), 1U);
  EXPECT_EQ(outcome->faults[0].error, ENOENT);
  EXPECT_EQ(outcome->faults[0].number, 4U);
  EXPECT_EQ(outcome->faults[0].operation, FileOperation::open);
  EXPECT_EQ(outcome->totals.of(FileOperation::read).count, 9U);
}

TEST_F(FileEngine, ReadingAnEmptyTreeEndsAtOnce) {
  FileJob job{.anchors = {anchor(1, 1, 10)}, .workloads = {{.threads = 2}}};
  const auto outcome = run(job);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->totals.requested.count, 0U);
  EXPECT_EQ(outcome->ended_workloads, 1U);
}

TEST_F(FileEngine, TheWorkerProcessDoesItsJobAndEnds) {
  FileJob job = format_of(anchor(1, 1, 4));
  const Board::LoadSpec load{"files", job.slots()};
  auto board = Board::create({&load, 1}, 1);
  auto panel = FilePanel::create(job.slots(), 1);
  const auto shared = share_job(job);
  ASSERT_TRUE(board && panel && shared);
  board->set_phase(Phase::run);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto word = [](const char* key, int fd) {
      return std::string(key) + "=" + std::to_string(fd);
    };
    ::_exit(run_files_role(
        {word("board", board->fd()), word("panel", panel->fd()), word("job", shared->get())}));
  }
  int status = -1;
  const Deadline end = Deadline::in(20 * kSecond);
  while (::waitpid(child, &status, WNOHANG) != child && !end.passed()) ::usleep(1000);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << describe_status(status);
  EXPECT_EQ(panel->totals(0, job.slots(), 0, {}).of(FileOperation::create).count, 4U);
  EXPECT_EQ(files_on_disk(), 4U);
}

}  // namespace
}  // namespace stallproof
