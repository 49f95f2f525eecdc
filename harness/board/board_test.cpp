// SPDX-License-Identifier: Apache-2.0
#include "harness/board/board.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace stallproof {
namespace {

Board make_board() {
  const std::array<Board::LoadSpec, 2> loads{Board::LoadSpec{"fault", 2},
                                             Board::LoadSpec{"direct", 3}};
  auto board = Board::create(loads, 1);
  EXPECT_TRUE(board) << board.error().what;
  return std::move(*board);
}

TEST(Board, LoadsOwnDisjointSlots) {
  const Board board = make_board();
  ASSERT_EQ(board.loads().size(), 2U);
  EXPECT_EQ(board.find_load("direct")->first_slot, 2U);
  EXPECT_EQ(board.slots().size(), 5U);
  EXPECT_EQ(board.find_load("nothing"), nullptr);
}

TEST(Board, RemainsReadableAfterItsWriterDied) {
  Board board = make_board();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto mine = Board::attach(board.fd(), true);
    if (!mine) ::_exit(1);
    mine->slots()[0].tid.store(77);
    OpScope scope(mine->slots()[0], Op::page_fault, 4096);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(board.slots()[0].tid.load(), 77U);
  EXPECT_NE(board.slots()[0].op_started_ns.load(), 0U);
  EXPECT_EQ(board.slots()[0].op_offset.load(), 4096U);
}

TEST(Board, FinishedOpLeavesTheSlotIdleAndCounted) {
  Board board = make_board();
  BoardSlot& slot = board.slots()[1];
  {
    OpScope scope(slot, Op::direct_read, 0);
    scope.done(512);
  }
  {
    OpScope scope(slot, Op::direct_read, 0);
    scope.failed();
  }
  EXPECT_EQ(slot.ops.load(), 2U);
  EXPECT_EQ(slot.bytes.load(), 512U);
  EXPECT_EQ(slot.errors.load(), 1U);
  EXPECT_EQ(slot.op_started_ns.load(), 0U);
  EXPECT_NE(slot.last_done_ns.load(), 0U);
}

TEST(Board, CannotBeShrunkUnderItsReaders) {
  const Board board = make_board();
  EXPECT_NE(::ftruncate(board.fd(), 0), 0);
}

TEST(Board, ForeignMemoryIsRefused) {
  const int fd = ::memfd_create("not-a-board", 0);
  EXPECT_FALSE(Board::attach(fd, false));
  ASSERT_EQ(::ftruncate(fd, 1 << 20), 0);
  EXPECT_FALSE(Board::attach(fd, false));
  ::close(fd);
}

TEST(Board, ShapeIsThatOfAttachWhateverAWorkerWritesLater) {
  Board board = make_board();
  BoardHeader& header = board.header();
  header.slot_count = 0x7fffffff;
  header.load_count = 0x7fffffff;
  header.loads[1] = {"overwritten", 0x7fffffff, 0x7fffffff};
  EXPECT_EQ(board.slots().size(), 5U);
  ASSERT_EQ(board.loads().size(), 2U);
  ASSERT_NE(board.find_load("direct"), nullptr);
  EXPECT_EQ(board.slots_of(*board.find_load("direct")).size(), 3U);
  const Board moved = std::move(board);
  EXPECT_EQ(moved.slots().size(), 5U);
  EXPECT_EQ(moved.loads().size(), 2U);
}

TEST(Board, LoadsBeyondItsSlotsAreRefusedAtAttach) {
  Board board = make_board();
  EXPECT_TRUE(Board::attach(board.fd(), false));
  LoadEntry& load = board.header().loads[1];
  load.slot_count = 4;
  EXPECT_FALSE(Board::attach(board.fd(), false));
  load.slot_count = 0xffffffff;
  EXPECT_FALSE(Board::attach(board.fd(), false));
  load.slot_count = 3;
  load.first_slot = 0xffffffff;
  EXPECT_FALSE(Board::attach(board.fd(), false));
}

TEST(Board, NoThreadsAndTooManyThreadsAreRefused) {
  EXPECT_FALSE(Board::create({}, 1));
  const std::array<Board::LoadSpec, 1> loads{Board::LoadSpec{"x", kMaxSlots + 1}};
  EXPECT_FALSE(Board::create(loads, 1));
}

TEST(Board, PhaseChangeWakesWaiters) {
  Board board = make_board();
  std::thread waiter([&] { board.wait_phase_change(Phase::prepare, Deadline::in(10 * kSecond)); });
  board.set_phase(Phase::run);
  waiter.join();
  EXPECT_EQ(board.phase(), Phase::run);
}

}  // namespace
}  // namespace stallproof
