// SPDX-License-Identifier: Apache-2.0
// Why psync is the default: on a target that looks up the caller's page for each direct read, and
// takes its mmap_lock for that, the faithful engine falls into the reported stall, and io_uring
// with registered buffers does not, whatever else its process does.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <thread>

#include "harness/base/process.h"
#include "workloads/io/io_engine.h"
#include "workloads/role_words.h"
#include "workloads/testing/experiment.h"
#include "workloads/worker_loads.h"

namespace stallproof {
namespace {

constexpr Nanos kWarmUp = kSecond / 2;
constexpr Nanos kWatched = 3 * kSecond;
constexpr const char* kDirectReads = "direct-read";

IoJob job_of(IoEngine engine, const std::string& file, const LoadEntry& load) {
  return {.engine = engine,
          .files = {{.name = "sd1",
                     .path = file,
                     .size = 64U << 20U,
                     .threads = load.slot_count,
                     .open_flags = O_DIRECT,
                     .read_only = true,
                     .first_slot = load.first_slot}},
          .streams = {{.high = 64U << 20U}},
          .seed = 1};
}

Result<> prepare(EngineContext& context, int board_fd, IoEngine engine, const std::string& file) {
  auto board = Board::attach(board_fd, true);
  if (!board) return Failure{board.error()};
  context.board = std::move(*board);
  context.job = job_of(engine, file, *context.board.find_load(kDirectReads));
  auto panel = IoPanel::create(static_cast<std::uint32_t>(context.board.slots().size()), 1);
  if (!panel) return Failure{panel.error()};
  context.panel = std::move(*panel);
  auto files = open_files(context.job);
  if (!files) return Failure{files.error()};
  context.files = std::move(*files);
  context.source = make_source(context.job);
  return {};
}

// The other loads of the board, in this process too.
Result<std::unique_ptr<WorkerLoads>> other_loads(int board_fd, const std::string& file) {
  auto board = Board::attach(board_fd, true);
  if (!board) return Failure{board.error()};
  WorkOrder order = order_for_board(*board, file, {});
  std::erase_if(order.loads, [](const LoadOrder& load) { return load.name == kDirectReads; });
  return WorkerLoads::prepare(std::move(*board), order);
}

// One process: the engine's I/O beside page faults and mprotect. Threads outlast it where they are
// stuck.
int run_engine_role(IoEngine engine, const std::vector<std::string>& words) {
  const int ready_fd = ready_fd_of(words);
  const auto settings = Settings::from_words(words);
  const auto board_fd = static_cast<int>(*settings->count("board", 0));
  const std::string file = settings->text("file", "");
  static auto* const context = new EngineContext;
  if (const auto prepared = prepare(*context, board_fd, engine, file); !prepared)
    return refuse_role(ready_fd, prepared.error());
  auto others = other_loads(board_fd, file);
  if (!others) return refuse_role(ready_fd, others.error());
  static const std::vector<EngineThread> threads = threads_of(context->job, context->files);
  for (const EngineThread& thread : threads)
    std::thread([&thread] {
      if (context->job.engine == IoEngine::uring)
        run_uring_thread(*context, thread);
      else
        run_psync_thread(*context, thread);
    }).detach();
  if (const auto started = (*others)->start_threads(); !started)
    return refuse_role(ready_fd, started.error());
  while (!(*others)->all_started()) sleep_for(kMillisecond);
  report_ready(ready_fd);
  while (context->board.phase() != Phase::stop) {
    (*others)->follow_schedules(monotonic_now(), false);
    sleep_for(5 * kMillisecond);
  }
  ::_exit(0);
}

int run_psync_role(const std::vector<std::string>& words) {
  return run_engine_role(IoEngine::psync, words);
}
int run_uring_role(const std::vector<std::string>& words) {
  return run_engine_role(IoEngine::uring, words);
}

class EngineStall : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = experiment_unsupported()) GTEST_SKIP() << *reason;
  }
  void start(int (*role)(const std::vector<std::string>&)) {
    auto started =
        Experiment::start({.ffs_words = {"direct-open=lock-unpinned"}, .worker_role = role});
    ASSERT_TRUE(started) << started.error().what;
    experiment_ = std::move(*started);
    sleep_for(kWarmUp);
    ASSERT_GT(experiment_->ops_of(kDirectReads), 100U);
  }
  std::unique_ptr<Experiment> experiment_;
};

TEST_F(EngineStall, TheFaithfulEngineFallsIntoTheReportedStall) {
  ASSERT_NO_FATAL_FAILURE(start(run_psync_role));
  experiment_->arm(Behaviour::read_error);
  EXPECT_TRUE(experiment_->stalled_by(Deadline::in(5 * kSecond)));
  EXPECT_GT(experiment_->panel().hazards, 0U);
  EXPECT_TRUE(experiment_->heal());
}

TEST_F(EngineStall, RegisteredBuffersHideIt) {
  if (const std::string problem = uring_problem(); !problem.empty()) GTEST_SKIP() << problem;
  ASSERT_NO_FATAL_FAILURE(start(run_uring_role));
  experiment_->arm(Behaviour::read_error);
  EXPECT_FALSE(experiment_->stalled_by(Deadline::in(kWatched)));
  EXPECT_GT(experiment_->panel().hazards, 0U);
  const std::uint64_t before = experiment_->ops_of(kDirectReads);
  sleep_for(kSecond / 5);
  EXPECT_GT(experiment_->ops_of(kDirectReads), before);
}

}  // namespace
}  // namespace stallproof
