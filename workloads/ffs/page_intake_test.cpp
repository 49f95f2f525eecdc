// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/page_intake.h"

#include <gtest/gtest.h>

#include <array>

#include "workloads/ffs/open_hazards.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;

class PageIntakeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::array<Board::LoadSpec, 1> loads{Board::LoadSpec{"mapped-fault", 2}};
    auto board = Board::create(loads, 1);
    ASSERT_TRUE(board) << board.error().what;
    board_ = std::move(*board);
    board_.slots()[0].tid = 100;
    board_.slots()[1].tid = 101;
  }
  void arm(Behaviour behaviour) {
    panel().behaviour = static_cast<std::uint32_t>(behaviour);
    panel().armed_ns = 1;
  }
  ServicePanel& panel() { return board_.header().service; }
  ServiceJob admit(pid_t client, std::uint64_t offset, std::uint64_t inode = kDataInode) {
    ServiceJob job;
    job.inode = inode;
    job.client = client;
    job.offset = offset;
    job.length = kPage;
    intake().admit(job);
    return job;
  }
  PageIntake& intake() {
    if (!intake_) intake_ = std::make_unique<PageIntake>(board_, 64 * kPage);
    return *intake_;
  }

  Board board_;
  std::unique_ptr<PageIntake> intake_;
};

TEST_F(PageIntakeTest, PlainBehaviourAnswersEveryReadWithData) {
  for (int i = 0; i < 4; ++i) {
    const ServiceJob job = admit(100, 0);
    EXPECT_FALSE(job.answer_error || job.invalidate_after);
    ++board_.slots()[0].ops;
  }
  EXPECT_EQ(panel().hazards, 0U);
}

TEST_F(PageIntakeTest, SecondTryIsCountedAndListedUntilAnswered) {
  arm(Behaviour::read_error);
  EXPECT_TRUE(admit(100, kPage).answer_error);
  EXPECT_EQ(panel().hazards, 0U);
  const ServiceJob retry = admit(100, kPage);
  EXPECT_FALSE(retry.answer_error);
  EXPECT_EQ(panel().hazards, 1U);
  ASSERT_NE(retry.hazard, nullptr);
  EXPECT_EQ(retry.hazard->tid, 100U);
  EXPECT_EQ(retry.hazard->offset, kPage);
  EXPECT_NE(retry.hazard->since_ns, 0U);
  close_hazard(retry.hazard);
  EXPECT_EQ(panel().open_hazards[0].tid, 0U);
}

TEST_F(PageIntakeTest, InvalidationFollowsFirstTriesOnly) {
  arm(Behaviour::invalidate);
  EXPECT_TRUE(admit(100, 0).invalidate_after);
  EXPECT_FALSE(admit(100, 0).invalidate_after);
  ++board_.slots()[0].ops;
  EXPECT_TRUE(admit(100, 0).invalidate_after);
}

TEST_F(PageIntakeTest, ClientsThatShareAPageAreToldApart) {
  arm(Behaviour::invalidate);
  EXPECT_EQ(admit(100, 0).hazard, nullptr);
  EXPECT_EQ(admit(101, 0).hazard, nullptr);
  EXPECT_NE(admit(100, 0).hazard, nullptr);
}

TEST_F(PageIntakeTest, ClientWithoutASlotIsNoHazard) {
  arm(Behaviour::read_error);
  EXPECT_TRUE(admit(999, 0).answer_error);
  EXPECT_EQ(admit(999, 0).hazard, nullptr);
  EXPECT_EQ(panel().hazards, 0U);
}

TEST_F(PageIntakeTest, SamePageOfAnotherFileHasItsOwnTriesAndErrors) {
  arm(Behaviour::read_error);
  EXPECT_TRUE(admit(100, 0).answer_error);
  EXPECT_TRUE(admit(100, 0, 77).answer_error);
  EXPECT_EQ(panel().hazards, 0U);
  const ServiceJob retry = admit(100, 0, 77);
  EXPECT_FALSE(retry.answer_error);
  EXPECT_NE(retry.hazard, nullptr);
}

TEST_F(PageIntakeTest, FullListStillCounts) {
  for (std::size_t i = 0; i < panel().open_hazards.size(); ++i)
    ASSERT_NE(open_hazard(panel(), 7, 0), nullptr);
  admit(100, 0);
  EXPECT_EQ(admit(100, 0).hazard, nullptr);
  EXPECT_EQ(panel().hazards, 1U);
  close_all_hazards(panel());
  EXPECT_NE(open_hazard(panel(), 7, 0), nullptr);
}

}  // namespace
}  // namespace stallproof
