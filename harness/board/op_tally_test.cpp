// SPDX-License-Identifier: Apache-2.0
#include "harness/board/op_tally.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <set>

#include "harness/board/board.h"
#include "harness/board/op_series.h"

namespace stallproof {
namespace {

std::uint64_t all_of(const OpTally& tally) {
  std::uint64_t sum = 0;
  for (const auto& count : tally.classes) sum += count.load();
  return sum;
}

class OpTallyTest : public testing::Test {
 protected:
  static Board make_board() {
    const Board::LoadSpec load{"load", 1};
    return std::move(*Board::create({&load, 1}, 1));
  }
  [[nodiscard]] const OpTally& of(OpKind kind) { return slot_.tally.of(kind); }
  [[nodiscard]] std::uint64_t errors(ErrorKind kind) {
    return slot_.tally.errors[static_cast<std::size_t>(kind)].load();
  }

  Board board_ = make_board();
  BoardSlot& slot_ = board_.slots()[0];
};

TEST_F(OpTallyTest, OperationIsCountedWithItsKindAndOnce) {
  {
    OpScope scope(slot_, Op::direct_read, 0);
    scope.done(4096);
  }
  EXPECT_EQ(of(OpKind::read).ops, 1U);
  EXPECT_EQ(of(OpKind::read).bytes, 4096U);
  EXPECT_EQ(all_of(of(OpKind::read)), 1U);
  EXPECT_EQ(of(OpKind::write).ops, 0U);
  EXPECT_EQ(slot_.ops, 1U);
  EXPECT_EQ(slot_.bytes, 4096U);
}

// To find out why a fault failed, a load reads the file in the midst of it.
TEST_F(OpTallyTest, OperationWithinAnotherLeavesThatItsKind) {
  {
    OpScope outer(slot_, Op::page_fault, 0);
    const OpScope inner(slot_, Op::read, 0);
  }
  EXPECT_EQ(of(OpKind::fault).ops, 1U);
  EXPECT_EQ(of(OpKind::read).ops, 1U);
}

TEST_F(OpTallyTest, FailureIsCountedByItsReason) {
  {
    OpScope scope(slot_, Op::write, 0);
    errno = ENOSPC;
    scope.failed();
  }
  {
    OpScope scope(slot_, Op::page_fault, 0);
    scope.failed(ErrorKind::sigbus);
  }
  OpSeries series(slot_);
  series.begin(Op::mprotect, 0);
  series.end(false, ENOMEM);
  EXPECT_EQ(errors(ErrorKind::space), 1U);
  EXPECT_EQ(errors(ErrorKind::sigbus), 1U);
  EXPECT_EQ(errors(ErrorKind::memory), 1U);
  EXPECT_EQ(slot_.errors, 3U);
  EXPECT_EQ(of(OpKind::mprotect).ops, 1U);
}

TEST_F(OpTallyTest, DurationIsInTheFirstClassWhoseEdgeItDoesNotExceed) {
  slot_.note_durations(OpKind::read, 20'000, 0);               // 20 us
  slot_.note_durations(OpKind::read, 2 * kMillisecond, 0, 2);  // up to 2.5 ms
  slot_.note_durations(OpKind::read, 2 * 3600 * kSecond, 0);   // above all edges
  const OpTally& reads = of(OpKind::read);
  EXPECT_EQ(reads.classes[0], 1U);
  EXPECT_EQ(reads.classes[4], 2U);
  EXPECT_EQ(reads.classes.back(), 1U);
  EXPECT_EQ(reads.total_ns, 20'000U + 4 * kMillisecond + 7200 * kSecond);
}

TEST(ClassOfBucket, RisesFromTheFirstClassToTheLast) {
  for (std::size_t i = 1; i < kClassOfBucket.size(); ++i)
    ASSERT_LE(kClassOfBucket[i - 1], kClassOfBucket[i]);
  EXPECT_EQ(kClassOfBucket.front(), 0U);
  EXPECT_EQ(kClassOfBucket.back(), kDurationClasses - 1);
}

TEST(OpKind, EveryOperationHasAKindAndEveryKindAName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kOpKinds; ++i)
    EXPECT_TRUE(names.insert(op_kind_name(static_cast<OpKind>(i))).second) << i;
  for (const Op op : {Op::read, Op::write, Op::page_fault, Op::mprotect, Op::mmap, Op::msync,
                      Op::create, Op::move, Op::thread_start, Op::serve_page})
    EXPECT_NE(kind_of(static_cast<std::uint32_t>(op)), OpKind::other) << op_name(op);
  EXPECT_EQ(kind_of(99), OpKind::other);
  EXPECT_EQ(op_name(Op::vfork), "vfork");
  EXPECT_EQ(op_name(static_cast<Op>(99)), "unknown");
}

}  // namespace
}  // namespace stallproof
