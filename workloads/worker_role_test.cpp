// SPDX-License-Identifier: Apache-2.0
// What the worker role says before it starts anything; the rest needs a mount (see the kernel
// tests).
#include "workloads/worker_role.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "harness/base/process.h"
#include "harness/board/board.h"
#include "workloads/ffs/ffs_role.h"

namespace stallproof {
namespace {

struct Refusal {
  int exit_code = 0;
  std::string line;
};

// The role closes the ready descriptor it was given, so it gets one of its own.
Refusal refusal_of(int (*role)(const std::vector<std::string>&), std::vector<std::string> words) {
  auto pipe = Pipe::create();
  EXPECT_TRUE(pipe);
  words.push_back("ready=" + std::to_string(pipe->write_end.release()));
  Refusal refusal;
  refusal.exit_code = role(words);
  const auto ready = wait_ready(pipe->read_end, "role", Deadline::in(kSecond));
  refusal.line = ready ? "ready" : ready.error().what;
  return refusal;
}

Board board_of(std::string_view load) {
  const std::array<Board::LoadSpec, 1> loads{Board::LoadSpec{load, 1}};
  auto board = Board::create(loads, 1);
  EXPECT_TRUE(board);
  return std::move(*board);
}

TEST(WorkerRole, UnknownParameterIsRefusedWithTheKnownOnes) {
  const Refusal refusal = refusal_of(run_worker_role, {"board=9", "file=/x", "hot-page=4"});
  EXPECT_EQ(refusal.exit_code, 2);
  EXPECT_NE(refusal.line.find("hot-page"), std::string::npos) << refusal.line;
  EXPECT_NE(refusal.line.find("hot-pages"), std::string::npos) << refusal.line;
}

TEST(WorkerRole, MissingFileWordIsNamed) {
  const Refusal refusal = refusal_of(run_worker_role, {"board=9"});
  EXPECT_EQ(refusal.exit_code, 2);
  EXPECT_NE(refusal.line.find("file"), std::string::npos) << refusal.line;
}

TEST(WorkerRole, MissingFileUnderTestIsNamed) {
  const Board board = board_of("mapped-fault");
  const Refusal refusal = refusal_of(
      run_worker_role, {"board=" + std::to_string(board.fd()), "file=/nonexistent/data"});
  EXPECT_EQ(refusal.exit_code, 2);
  EXPECT_NE(refusal.line.find("/nonexistent/data"), std::string::npos) << refusal.line;
}

TEST(WorkerRole, BoardWithoutAKnownLoadIsRefused) {
  const Board board = board_of("somebody-elses");
  const Refusal refusal =
      refusal_of(run_worker_role, {"board=" + std::to_string(board.fd()), "file=/x"});
  EXPECT_NE(refusal.exit_code, 0);
  EXPECT_NE(refusal.line.find("catalogue"), std::string::npos) << refusal.line;
}

TEST(FfsRole, WrongWordsReachTheControllerOnTheReadyPipe) {
  const Refusal refusal = refusal_of(run_ffs_role, {"board=9", "mount=/x", "queue=ring"});
  EXPECT_EQ(refusal.exit_code, 2);
  EXPECT_NE(refusal.line.find("ring"), std::string::npos) << refusal.line;
}

}  // namespace
}  // namespace stallproof
