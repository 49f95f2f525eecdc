// SPDX-License-Identifier: Apache-2.0
#include "harness/run/second_sampler.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

class SecondSamplerTest : public testing::Test {
 protected:
  SecondSamplerTest() : board_(std::move(*Board::create({&load_, 1}, 1))) {}
  void work(std::uint64_t hazards, std::uint64_t ops) {
    board_.header().service.hazards += hazards;
    board_.slots()[0].ops += ops;
  }
  Board::LoadSpec load_{"fault", 1};
  Board board_;
  SecondSampler sampler_;
};

TEST_F(SecondSamplerTest, TheWorstSecondCounts) {
  sampler_.start(0, board_);
  work(10, 100);
  sampler_.sample_if_due(kSecond, board_);
  work(0, 50);
  sampler_.sample_if_due(2 * kSecond, board_);
  work(7, 70);
  sampler_.sample_if_due(3 * kSecond, board_);
  EXPECT_EQ(sampler_.per_second_min(SecondSampler::hazards, 0, 3 * kSecond), 0U);
  EXPECT_EQ(sampler_.per_second_min(SecondSampler::load_ops, 0, 3 * kSecond), 50U);
}

TEST_F(SecondSamplerTest, NoWholeSecondGivesNoFigure) {
  sampler_.start(0, board_);
  work(10, 100);
  sampler_.sample_if_due(kSecond / 2, board_);
  EXPECT_FALSE(sampler_.per_second_min(SecondSampler::hazards, 0, kSecond));
}

TEST_F(SecondSamplerTest, SecondsAfterTheOnsetDoNotCount) {
  sampler_.start(0, board_);
  work(10, 100);
  sampler_.sample_if_due(kSecond, board_);
  sampler_.sample_if_due(2 * kSecond, board_);
  EXPECT_EQ(sampler_.per_second_min(SecondSampler::hazards, 0, kSecond), 10U);
}

TEST_F(SecondSamplerTest, NothingBeforeStart) {
  EXPECT_FALSE(sampler_.per_second_min(SecondSampler::hazards, 0, kSecond));
  EXPECT_EQ(sampler_.next_due_ns(), ~Nanos{0});
}

}  // namespace
}  // namespace stallproof
