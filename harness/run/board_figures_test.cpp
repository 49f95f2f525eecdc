// SPDX-License-Identifier: Apache-2.0
#include "harness/run/board_figures.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "harness/board/board.h"
#include "harness/board/evidence.h"

namespace stallproof {
namespace {

// A real board and real evidence, as a run has them; the source outlives both.
class BoardFiguresTest : public testing::Test {
 protected:
  static Board make_board() {
    const std::array<Board::LoadSpec, 2> loads{{{"direct-read", 2}, {"mapped-fault", 1}}};
    return std::move(*Board::create(loads, 1));
  }
  static void complete(BoardSlot& slot, Op op, std::uint64_t bytes) {
    OpScope scope(slot, op, 0);
    scope.done(bytes);
  }
  BoardSlot& slot(std::size_t number) { return board_->slots()[number]; }
  [[nodiscard]] LoadFigures load(std::size_t number) const {
    return source_->read().loads.at(number);
  }

  std::optional<Board> board_ = make_board();
  std::optional<Evidence> evidence_ = std::move(*Evidence::create());
  std::shared_ptr<const FigureSource> source_ = make_figure_source(board_->fd(), evidence_->fd());
};

TEST_F(BoardFiguresTest, IdleLoadHasNothingInFlightAndNoLatency) {
  const LoadFigures figures = load(0);
  EXPECT_EQ(figures.name, "direct-read");
  EXPECT_TRUE(figures.own);
  EXPECT_EQ(figures.in_flight, 0U);
  EXPECT_EQ(figures.oldest_age_ns, 0U);
  EXPECT_EQ(figures.last_progress_ns, 0U);
  EXPECT_TRUE(figures.op.empty());
  EXPECT_FALSE(figures.p99_us.has_value());
}

TEST_F(BoardFiguresTest, OperationsOfAllThreadsOfALoadAreSummed) {
  const Nanos before = monotonic_now();
  complete(slot(0), Op::direct_read, 4096);
  complete(slot(1), Op::direct_read, 8192);
  complete(slot(2), Op::page_fault, 0);
  slot(1).errors = 3;
  slot(1).mismatches = 2;
  const LoadFigures figures = load(0);
  EXPECT_EQ(figures.ops, 2U);
  EXPECT_EQ(figures.bytes, 12288U);
  EXPECT_EQ(figures.errors, 3U);
  EXPECT_EQ(figures.mismatches, 2U);
  EXPECT_GE(figures.last_progress_ns, before);
  EXPECT_EQ(load(1).ops, 1U);
}

TEST_F(BoardFiguresTest, OldestOperationInFlightIsNamedWithItsAge) {
  const Nanos now = monotonic_now();
  slot(0).op_code = static_cast<std::uint32_t>(Op::direct_read);
  slot(0).op_started_ns = now - 2 * kSecond;
  slot(1).op_code = static_cast<std::uint32_t>(Op::page_fault);
  slot(1).op_started_ns = now - 9 * kSecond;
  const LoadFigures figures = load(0);
  EXPECT_EQ(figures.in_flight, 2U);
  EXPECT_EQ(figures.op, "page fault");
  EXPECT_GE(figures.oldest_age_ns, 9 * kSecond);
  EXPECT_LT(figures.oldest_age_ns, 10 * kSecond);
}

TEST_F(BoardFiguresTest, WhatIsDueLaterAndWhoHasLeftAreNotInFlight) {
  slot(0).op_started_ns = monotonic_now() + 60 * kSecond;
  slot(1).op_started_ns = monotonic_now() - kSecond;
  slot(1).left = 1;
  EXPECT_EQ(load(0).in_flight, 0U);
  EXPECT_EQ(load(0).oldest_age_ns, 0U);
}

TEST_F(BoardFiguresTest, EveryOperationIsInOneLatencyClass) {
  const auto record = [this](std::size_t number, Nanos each, std::uint64_t times) {
    slot(number).note_durations(OpKind::read, each, 0, times);
    for (std::uint64_t i = 0; i < times; ++i) slot(number).note_end(OpKind::read, 1);
  };
  record(0, 20'000, 1);              // 20 us: the first class
  record(0, 2 * kMillisecond, 2);    // up to 2.5 ms
  record(1, 2 * 3600 * kSecond, 1);  // above all edges
  const LoadFigures figures = load(0);
  std::uint64_t sum = 0;
  for (const std::uint64_t count : figures.latency) sum += count;
  EXPECT_EQ(sum, 4U);
  EXPECT_EQ(figures.latency[0], 1U);
  EXPECT_EQ(figures.latency[4], 2U);
  EXPECT_EQ(figures.latency.back(), 1U);
  ASSERT_EQ(figures.kinds.size(), 1U);
  EXPECT_EQ(figures.kinds[0].latency, figures.latency);
  EXPECT_DOUBLE_EQ(figures.kinds[0].seconds, 7200.00402);
  EXPECT_NEAR(*figures.p50_us, 2000, 2000.0 / 16);
}

TEST_F(BoardFiguresTest, OperationsAreToldByKindFromTheirFirstBeginOn) {
  EXPECT_TRUE(load(0).kinds.empty());
  complete(slot(0), Op::write, 512);
  slot(1).op_code = static_cast<std::uint32_t>(Op::page_fault);  // and never ends
  const LoadFigures figures = load(0);
  ASSERT_EQ(figures.kinds.size(), 2U);
  EXPECT_EQ(figures.kinds[0].kind, "write");
  EXPECT_EQ(figures.kinds[0].ops, 1U);
  EXPECT_EQ(figures.kinds[0].bytes, 512U);
  EXPECT_EQ(figures.kinds[1].kind, "fault");
  EXPECT_EQ(figures.kinds[1].ops, 0U);
}

TEST_F(BoardFiguresTest, FailuresAreToldByTheirReason) {
  {
    OpScope scope(slot(0), Op::write, 0);
    scope.failed(ENOSPC);
  }
  std::uint64_t all = 0, space = 0;
  for (const auto& [why, count] : load(0).failures) {
    all += count;
    if (why == "space") space = count;
  }
  EXPECT_EQ(all, 1U);
  EXPECT_EQ(space, 1U);
}

TEST_F(BoardFiguresTest, WhatADeadWriterSaidStays) {
  const Board& board = *board_;
  const pid_t child = ::fork();
  if (child == 0) {
    auto mine = Board::attach(board.fd(), true);
    complete(mine->slots()[0], Op::read, 512);
    OpScope never_ends(mine->slots()[0], Op::read, 0);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  const LoadFigures figures = load(0);
  EXPECT_EQ(figures.ops, 1U);
  EXPECT_EQ(figures.in_flight, 1U);
}

TEST_F(BoardFiguresTest, FiguresStayWhenBoardAndEvidenceOfTheRunAreGone) {
  complete(slot(0), Op::read, 512);
  evidence_->area().health.heartbeat_ns = 77;
  board_.reset();
  evidence_.reset();
  const RunFigures figures = source_->read();
  EXPECT_EQ(figures.loads.at(0).ops, 1U);
  EXPECT_EQ(figures.observer.heartbeat_ns, 77U);
}

TEST_F(BoardFiguresTest, WatchdogTellsWhatItCannotSee) {
  WatchdogHealth& health = evidence_->area().health;
  health.gaps = 2;
  health.gap_ns = 3 * kSecond;
  health.blocked_tasks = 5;
  health.blocked_killable = 3;
  health.asleep_in_calls = 2;
  health.kmsg_events[0] = 4;
  evidence_->area().mmap_lock.write_waiters = 2;
  evidence_->area().mmap_lock.oldest_since_ns = monotonic_now() - 4 * kSecond;
  evidence_->area().kmsg_problem = {"not permitted"};
  const RunFigures figures = source_->read();
  EXPECT_EQ(figures.observer.gaps, 2U);
  EXPECT_DOUBLE_EQ(figures.observer.gaps_s, 3.0);
  EXPECT_EQ(figures.system.blocked_tasks, 5U);
  EXPECT_EQ(figures.system.blocked_killable, 3U);
  EXPECT_EQ(figures.system.asleep_in_calls, 2U);
  EXPECT_EQ(figures.observer.kmsg_events.front(),
            (std::pair<std::string, std::uint64_t>{"hung_task", 4}));
  EXPECT_EQ(figures.mmap_lock.write_waiters, 2U);
  EXPECT_NEAR(figures.mmap_lock.oldest_wait_s, 4.0, 1.0);
  EXPECT_FALSE(figures.system.hung_tasks.has_value());  // no look at the machine yet
  EXPECT_EQ(figures.observer.blind_spots, std::vector<std::string>{"kernel log: not permitted"});
}

TEST_F(BoardFiguresTest, ForeignLoadsAreTheProcessesThatTheWatchdogFollows) {
  EvidenceArea& area = evidence_->area();
  const auto foreign = make_figure_source(-1, evidence_->fd());
  EXPECT_TRUE(foreign->read().loads.empty());
  area.targets[0].comm = {"fio"};
  area.targets[0].tgid = 40;
  area.targets[0].last_done_ns = 123;
  area.targets[0].blocked_since_ns = monotonic_now() - 5 * kSecond;
  area.views[0].ops[0] = 900;
  area.views[0].in_flight[0] = 3;
  area.view_count = 1;
  const RunFigures figures = foreign->read();
  ASSERT_EQ(figures.loads.size(), 1U);
  const LoadFigures& load = figures.loads[0];
  EXPECT_EQ(load.name, "fio-40");
  EXPECT_FALSE(load.own);
  EXPECT_EQ(load.ops, 900U);
  EXPECT_EQ(load.in_flight, 3U);
  EXPECT_EQ(load.last_progress_ns, 123U);
  EXPECT_GE(load.oldest_age_ns, 5 * kSecond);
}

TEST(BoardFigures, WhatIsNoEvidenceIsToldAsABlindSpot) {
  const auto source = make_figure_source(-1, -1);
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->read().observer.blind_spots.size(), 1U);
  EXPECT_TRUE(source->read().loads.empty());
}

}  // namespace
}  // namespace stallproof
