// SPDX-License-Identifier: Apache-2.0
// Runs of files in a folder that goes away with the test, by threads of the test itself.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <thread>

#include "workloads/files/file_engine.h"

namespace stallproof {

// What a run left behind.
struct RunOutcome {
  FileTotals totals;
  std::vector<FileTotals> by_workload;  // entries of the job
  std::vector<FileFault> faults;
  std::int32_t ended_by = 0;
  std::uint32_t ended_workloads = 0;
  AnchorProgress* progress = nullptr;  // of the first anchor
};

class FileRuns : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder_.data()), nullptr); }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] JobAnchor anchor(int depth, int width, int files,
                                 std::vector<double> sizes = {4096}) const {
    return {.name = "fsd1",
            .path = folder_,
            .depth = depth,
            .width = width,
            .files = files,
            .sizes = std::move(sizes)};
  }

  static FileJob format_of(const JobAnchor& anchor, JobFormat format = {}) {
    format.wanted = true;
    return {.anchors = {anchor},
            .workloads = {{.operation = FileOperation::create, .xfersizes = {4096}, .threads = 3}},
            .format = format};
  }

  // The job's slots are given out here. Ends by itself, or after `span`.
  Result<RunOutcome> run(FileJob job, Nanos span = 20 * kSecond) {
    std::uint32_t next = 0;
    for (JobFileWorkload& workload : job.workloads) {
      workload.first_slot = next;
      next += workload.threads;
    }
    const Board::LoadSpec load{"files", next};
    auto board = Board::create({&load, 1}, 1);
    auto panel = FilePanel::create(next, static_cast<std::uint32_t>(job.anchors.size()));
    if (!board) return Failure(board.error());
    if (!panel) return Failure(panel.error());
    contexts_.push_back(std::make_unique<FileContext>());
    FileContext& context = *contexts_.back();
    context.board = std::move(*board);
    context.panel = std::move(*panel);
    context.job = std::move(job);
    if (auto prepared = prepare_trees(context); !prepared) return Failure(prepared.error());
    begin_control_files(context);
    run_threads(context, span);
    if (auto ended = end_control_files(context); !ended) return Failure(ended.error());
    return outcome_of(context);
  }

  [[nodiscard]] AnchorTree& last_tree() const { return *contexts_.back()->trees.front(); }
  [[nodiscard]] std::size_t files_on_disk() const {
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_))
      found += entry.is_regular_file() && entry.path().extension() == ".file" &&
                       entry.path().filename() != kControlFile
                   ? 1
                   : 0;
    return found;
  }

  std::string folder_ = ::testing::TempDir() + "stallproof-files-XXXXXX";

 private:
  static void run_threads(FileContext& context, Nanos span) {
    std::vector<std::thread> threads;
    std::atomic<std::size_t> left = 0;
    for (const FileThread& thread : threads_of(context.job))
      threads.emplace_back([&context, &left, thread] {
        run_file_thread(context, thread);
        ++left;
      });
    context.board.set_phase(Phase::run);
    const Deadline end = Deadline::in(span);
    while (left < threads.size() && !end.passed())
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    context.board.set_phase(Phase::stop);
    for (std::thread& thread : threads) thread.join();
  }

  static RunOutcome outcome_of(FileContext& context) {
    RunOutcome outcome;
    for (const JobFileWorkload& workload : context.job.workloads) {
      outcome.by_workload.push_back(
          context.panel.totals(workload.first_slot, workload.threads, 0,
                               requested_operations(workload, context.job.format.wanted)));
      outcome.totals += outcome.by_workload.back();
    }
    std::uint64_t next = 0;
    outcome.faults = context.panel.header().faults.since(next);
    outcome.ended_by = context.panel.header().ended_by.load();
    outcome.ended_workloads = context.panel.header().ended_workloads.load();
    outcome.progress = &context.panel.progress()[0];
    return outcome;
  }

  std::vector<std::unique_ptr<FileContext>> contexts_;
};

}  // namespace stallproof
