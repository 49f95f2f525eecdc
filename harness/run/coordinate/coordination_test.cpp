// SPDX-License-Identifier: Apache-2.0
// Nodes that meet by real files, in one process.
#include "harness/run/coordinate/coordination.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

namespace fs = std::filesystem;
using State = Coordination::State;

class MeetingPlace : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(place_.data()), nullptr); }
  void TearDown() override {
    ::unsetenv("STALLPROOF_NODE");
    fs::remove_all(place_);
  }

  Result<Coordination> node(unsigned rank, unsigned count, const std::string& plan = "plan",
                            Nanos wait = 20 * kSecond) {
    ::setenv("STALLPROOF_NODE", ("n" + std::to_string(rank)).c_str(), 1);
    auto made =
        Coordination::create({.table = {.share = NodeShare::ranges, .meet = place_, .wait = wait},
                              .place = {.rank = rank, .count = count, .job = "7.0", .meet = place_},
                              .run = "run " + std::to_string(rank),
                              .plan = plan});
    if (made) {
      EXPECT_TRUE(make_scratch(made->meeting_place(), {}));
      made->begin(monotonic_now());
    }
    return made;
  }

  std::string place_ = ::testing::TempDir() + "stallproof-meet-XXXXXX";
};

// Until none waits any more, in turn.
void serve(std::vector<Coordination*> nodes) {
  const Deadline deadline = Deadline::in(10 * kSecond);
  while (!nodes.empty() && !deadline.passed()) {
    std::erase_if(
        nodes, [](Coordination* each) { return each->serve(monotonic_now()) != State::waiting; });
    ::poll(nullptr, 0, 5);
  }
  EXPECT_TRUE(nodes.empty());
}

TEST_F(MeetingPlace, ThreeNodesAgreeOnOneSecond) {
  auto one = node(0, 3), two = node(1, 3), three = node(2, 3);
  ASSERT_TRUE(one && two && three);
  serve({&*one, &*two, &*three});
  const auto first = nlohmann::json::parse(one->json());
  ASSERT_TRUE(first["start"].is_string()) << one->words();
  EXPECT_EQ(first["clock"]["offset_ms"], 0);
  for (Coordination* each : {&*two, &*three}) {
    const auto document = nlohmann::json::parse(each->json());
    EXPECT_EQ(document["start"], first["start"]) << each->words();
    EXPECT_EQ(document["plan_id"], first["plan_id"]);
    EXPECT_EQ(document["clock"]["against"], "n0");
    const double error = document["clock"]["error_ms"];
    EXPECT_LE(std::abs(document["clock"]["offset_ms"].get<double>()), error);
    EXPECT_TRUE(document["load_started"].is_null());
  }
}

TEST_F(MeetingPlace, WhenTheLoadStartedIsSaidToTheMicrosecond) {
  auto alone = node(0, 1);
  ASSERT_TRUE(alone);
  serve({&*alone});
  const Nanos now = monotonic_now(), start = alone->start_ns();
  EXPECT_GT(start, now);
  alone->started(realtime_now() + (start - now));
  const auto document = nlohmann::json::parse(alone->json());
  EXPECT_LT(std::abs(document["start_late_ms"].get<double>()), 50);
  EXPECT_TRUE(document["load_started"].is_string());
  EXPECT_EQ(document["share"], "ranges");
  EXPECT_EQ(document["job"], "7.0");
}

TEST_F(MeetingPlace, AnotherPlanIsRefusedOnBothSides) {
  auto one = node(0, 2), two = node(1, 2, "another plan");
  ASSERT_TRUE(one && two);
  serve({&*one, &*two});
  for (Coordination* each : {&*one, &*two})
    EXPECT_NE(each->words().find("n1 has another plan than n0"), std::string::npos)
        << each->words();
}

TEST_F(MeetingPlace, WhoDoesNotComeIsNamedWhenTheWaitIsOver) {
  auto one = node(0, 3, "plan", 500 * kMillisecond);
  auto two = node(1, 3, "plan", 500 * kMillisecond);
  ASSERT_TRUE(one && two);
  serve({&*one, &*two});
  EXPECT_NE(one->words().find("node 2 of 3"), std::string::npos) << one->words();
  EXPECT_NE(two->words().find("n0"), std::string::npos) << two->words();
  EXPECT_TRUE(nlohmann::json::parse(one->json())["start"].is_null());
}

TEST_F(MeetingPlace, TheLastOneToLeaveRemovesIt) {
  auto one = node(0, 2), two = node(1, 2);
  ASSERT_TRUE(one && two);
  serve({&*one, &*two});
  EXPECT_EQ(remove_scratch(one->meeting_place()).end, ScratchEnd::removed);
  EXPECT_TRUE(fs::exists(two->meeting_place().path + "/start.json"));
  EXPECT_EQ(remove_scratch(two->meeting_place()).end, ScratchEnd::removed);
  EXPECT_TRUE(fs::is_empty(place_));
}

TEST_F(MeetingPlace, APlaceThatIsNoDirectoryIsRefused) {
  const auto refused =
      Coordination::create({.table = {},
                            .place = {.rank = 0, .count = 1, .job = "j", .meet = place_ + "/no"},
                            .run = "r",
                            .plan = "p"});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("meet: target " + place_ + "/no: No such file"),
            std::string::npos)
      << refused.error().what;
}

TEST(PlanId, TellsPlansApart) {
  EXPECT_EQ(plan_id("plan"), plan_id("plan"));
  EXPECT_NE(plan_id("plan"), plan_id("plan "));
  EXPECT_EQ(plan_id("").size(), 16U);
}

}  // namespace
}  // namespace stallproof
