// SPDX-License-Identifier: Apache-2.0
// The engines on real files.
#include "workloads/io/io_engine.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace stallproof {
namespace {

class IoEngineTest : public ::testing::TestWithParam<IoEngine> {
 protected:
  IoEngineTest() {
    char name[] = "/tmp/stallproof-io-XXXXXX";
    folder_ = ::mkdtemp(name);
    context_.job = {
        .engine = GetParam(),
        .files = {{.name = "sd1", .path = folder_ + "/f", .size = 1 << 20, .threads = 4}},
        .streams = {{.high = 1 << 20}},
        .seed = 1};
    std::ofstream(folder_ + "/f") << std::string(1 << 20, 'x');
  }
  ~IoEngineTest() override { std::filesystem::remove_all(folder_); }

  // Runs the job until it ends by itself or for so long.
  void run(Nanos span) {
    const Board::LoadSpec load{"sd1", context_.job.files[0].threads};
    context_.board = std::move(*Board::create(std::span(&load, 1), 1));
    context_.panel = std::move(*IoPanel::create(context_.job.files[0].threads, 1));
    auto files = open_files(context_.job);
    ASSERT_TRUE(files) << files.error().what;
    context_.files = std::move(*files);
    context_.source = make_source(context_.job);
    const auto threads = threads_of(context_.job, context_.files);
    std::vector<std::thread> running;
    for (const EngineThread& thread : threads)
      running.emplace_back([this, &thread] {
        if (GetParam() == IoEngine::uring)
          run_uring_thread(context_, thread);
        else
          run_psync_thread(context_, thread);
      });
    context_.board.set_phase(Phase::run);
    const Deadline until = Deadline::in(span);
    while (!until.passed() && context_.source->ended_streams() == 0) ::usleep(1000);
    context_.board.set_phase(Phase::stop);
    for (std::thread& each : running) each.join();
    ASSERT_FALSE(context_.refusal()) << context_.refusal()->what;
  }

  IoTotals totals() { return context_.panel.totals(0, 0, context_.job.files[0].threads, 0); }

  std::string folder_;
  EngineContext context_;
};

TEST_P(IoEngineTest, ASequentialWriteCoversTheFileOnceAndEnds) {
  context_.job.streams[0] = {.xfersizes = {64 << 10},
                             .read_percent = 0,
                             .seek_percent = 0,
                             .high = (1 << 20) + 4096,
                             .stop_at_end = true};
  context_.job.files[0].size = (1 << 20) + 4096;
  run(5 * kSecond);
  EXPECT_EQ(totals().write.count, 17U);
  EXPECT_EQ(totals().write.bytes, (1U << 20) + 4096);
  EXPECT_EQ(std::filesystem::file_size(folder_ + "/f"), (1U << 20) + 4096);
  std::ifstream file(folder_ + "/f");
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(content.find(std::string(4096, 'x')), std::string::npos);
  EXPECT_EQ(content.find(std::string(4096, '\0')), std::string::npos);
}

TEST_P(IoEngineTest, BoardAndPanelAgree) {
  context_.job.streams[0].read_percent = 70;
  run(200 * kMillisecond);
  std::uint64_t ops = 0, bytes = 0;
  for (const BoardSlot& slot : context_.board.slots()) {
    ops += slot.ops.load();
    bytes += slot.bytes.load();
    EXPECT_EQ(slot.op_started_ns.load(), 0U);
    EXPECT_GT(slot.ops.load(), 0U);  // all are in flight, not one alone
  }
  const IoTotals sum = totals();
  EXPECT_GT(ops, 100U);
  EXPECT_EQ(sum.read.count + sum.write.count, ops);
  EXPECT_EQ(sum.read.bytes + sum.write.bytes, bytes);
  EXPECT_EQ(context_.panel.header().faults.ever(), 0U);
}

TEST_P(IoEngineTest, ReadsBehindTheEndAreShortTransfers) {
  ASSERT_EQ(::truncate((folder_ + "/f").c_str(), 512 << 10), 0);
  run(50 * kMillisecond);
  std::uint64_t next = 0;
  const auto faults = context_.panel.faults_since(next);
  ASSERT_FALSE(faults.empty());
  for (const FaultRecord& fault : faults) {
    EXPECT_EQ(fault.error, kShortTransfer);
    EXPECT_GE(fault.offset, 512U << 10);
  }
}

TEST_P(IoEngineTest, ARateIsKeptAndAWaitIsNotInFlight) {
  context_.job.streams[0].rate = 2000;
  run(500 * kMillisecond);
  EXPECT_NEAR(static_cast<double>(totals().read.count), 1000, 150);
}

TEST_P(IoEngineTest, AMissingFileOfAReaderIsRefusedByName) {
  context_.job.files[0].path = folder_ + "/none";
  context_.job.files[0].read_only = true;
  const auto files = open_files(context_.job);
  ASSERT_FALSE(files);
  EXPECT_NE(files.error().what.find("sd=sd1"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Engines, IoEngineTest, ::testing::Values(IoEngine::psync, IoEngine::uring),
                         [](const auto& each) {
                           return each.param == IoEngine::uring ? "uring" : "psync";
                         });

TEST(Poison, IsSeenWhenNothingWasRead) {
  alignas(8) std::array<std::byte, 1024> buffer{};
  poison(buffer.data(), buffer.size());
  EXPECT_TRUE(still_poisoned(buffer.data(), buffer.size()));
  buffer[0] = std::byte{1};
  EXPECT_TRUE(still_poisoned(buffer.data(), buffer.size()));  // the tail was not read
  buffer[1023] = std::byte{1};
  EXPECT_FALSE(still_poisoned(buffer.data(), buffer.size()));
}

}  // namespace
}  // namespace stallproof
