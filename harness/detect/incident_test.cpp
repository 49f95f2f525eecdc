// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/incident.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "harness/detect/view_builder.h"

namespace stallproof {
namespace {

Finding no_progress(std::uint32_t load, Nanos since) {
  return {.kind = FindingKind::no_progress, .load = load, .count = 1, .since_ns = since};
}

TEST(Incident, FindingsOfOneTickOpenOneIncidentWithTheEarliestOnset) {
  IncidentTracker tracker;
  ViewBuilder build;
  build.at(10 * kSecond);
  const std::array found{no_progress(0, 9 * kSecond), no_progress(1, 8 * kSecond)};
  EXPECT_EQ(tracker.update(build.view, found), IncidentChange::opened);
  EXPECT_EQ(tracker.current().onset_ns, 8 * kSecond);
  EXPECT_TRUE(tracker.current().stalled[1]);
}

TEST(Incident, LaterLoadExtendsItAndTheSameOneDoesNot) {
  IncidentTracker tracker;
  ViewBuilder build;
  build.in_flight_since(9 * kSecond).at(10 * kSecond);
  const std::array first{no_progress(0, 9 * kSecond)};
  const std::array second{no_progress(0, 9 * kSecond), no_progress(1, 9 * kSecond)};
  EXPECT_EQ(tracker.update(build.view, first), IncidentChange::opened);
  EXPECT_EQ(tracker.update(build.view, first), std::nullopt);
  EXPECT_EQ(tracker.update(build.view, second), IncidentChange::extended);
}

TEST(Incident, LoadsThatAnotherFollowsNeitherOpenNorExtendIt) {
  IncidentTracker run(0b01), canary(0b10);
  ViewBuilder build;
  build.in_flight_since(9 * kSecond).at(10 * kSecond);
  build.view.load_count = 2;
  const std::array of_canary{no_progress(1, 9 * kSecond)};
  EXPECT_EQ(run.update(build.view, of_canary), std::nullopt);
  EXPECT_EQ(canary.update(build.view, of_canary), IncidentChange::opened);
  const std::array both{no_progress(1, 8 * kSecond), no_progress(0, 9 * kSecond)};
  EXPECT_EQ(run.update(build.view, both), IncidentChange::opened);
  EXPECT_EQ(canary.update(build.view, both), std::nullopt);
  EXPECT_EQ(run.current().onset_ns, 9 * kSecond);
  EXPECT_FALSE(run.current().stalled[1]);
  EXPECT_FALSE(canary.current().stalled[0]);
}

TEST(Incident, BlockedTasksAloneOpenNothing) {
  IncidentTracker tracker;
  ViewBuilder build;
  const std::array found{Finding{.kind = FindingKind::blocked_tasks, .count = 3}};
  EXPECT_EQ(tracker.update(build.view, found), std::nullopt);
  EXPECT_FALSE(tracker.standing());
}

TEST(Incident, WhatOnlySupportsOpensNothingAndIsKeptByAnIncident) {
  IncidentTracker tracker;
  ViewBuilder build;
  build.in_flight_since(9 * kSecond).at(10 * kSecond);
  std::vector<Finding> found;
  for (const FindingKind kind :
       {FindingKind::hung_task, FindingKind::device_inflight, FindingKind::fuse_waiting,
        FindingKind::pressure, FindingKind::kernel_log})
    found.push_back({.kind = kind, .count = 2, .since_ns = 8 * kSecond, .subject = {"vdb"}});
  EXPECT_EQ(tracker.update(build.view, found), std::nullopt);
  EXPECT_FALSE(tracker.standing());
  found.push_back(no_progress(0, 9 * kSecond));
  EXPECT_EQ(tracker.update(build.view, found), IncidentChange::opened);
  // An old report does not make the stall begin earlier.
  EXPECT_EQ(tracker.current().onset_ns, 9 * kSecond);
  const Support& disk =
      tracker.current().support[static_cast<std::size_t>(FindingKind::device_inflight)];
  EXPECT_EQ(disk.since_ns, 8 * kSecond);
  EXPECT_STREQ(disk.subject.data(), "vdb");
}

TEST(Incident, HungTaskOfForeignLoadOpensOneThatResolvesWhenItsLoadMoves) {
  IncidentTracker tracker;
  ViewBuilder build;
  build.in_flight_since(1 * kSecond).at(10 * kSecond);
  const std::array found{
      Finding{.kind = FindingKind::hung_task, .tid = 42, .since_ns = 10 * kSecond, .opens = true}};
  EXPECT_EQ(tracker.update(build.view, found), IncidentChange::opened);
  EXPECT_EQ(tracker.update(build.view, {}), std::nullopt);
  build.done(12 * kSecond).idle().at(12 * kSecond);
  EXPECT_EQ(tracker.update(build.view, {}), IncidentChange::resolved);
}

TEST(Incident, ResolvesWhenTheOldOpIsGoneAndSomethingCompleted) {
  IncidentTracker tracker;
  ViewBuilder build;
  build.in_flight_since(9 * kSecond).at(10 * kSecond);
  const std::array found{no_progress(0, 9 * kSecond)};
  tracker.update(build.view, found);
  build.done(11 * kSecond).at(11 * kSecond);  // another thread completed, the old op still stands
  EXPECT_EQ(tracker.update(build.view, {}), std::nullopt);
  build.in_flight_since(11 * kSecond);
  EXPECT_EQ(tracker.update(build.view, {}), IncidentChange::resolved);
  EXPECT_FALSE(tracker.standing());
}

TEST(Incident, NumbersGrow) {
  IncidentTracker tracker;
  ViewBuilder build;
  const std::array found{no_progress(0, 1)};
  build.in_flight_since(1).at(2);
  tracker.update(build.view, found);
  build.done(3).idle().at(3);
  tracker.update(build.view, {});
  tracker.update(build.view, found);
  EXPECT_EQ(tracker.current().number, 2U);
}

TEST(Incident, OfADetectorThatIsLeftOutNothingIsFound) {
  FindingList list;
  list.leave_out(findings_of(detector_named("no-progress").value()));
  list.add(no_progress(0, 1));
  EXPECT_TRUE(list.items().empty());
  list.add({.kind = FindingKind::stuck_op});
  EXPECT_EQ(list.items().size(), 1U);
}

TEST(Incident, DropoutsBeginAndEndByOneDetector) {
  EXPECT_EQ(findings_of(detector_named("dropout").value()),
            1U << static_cast<unsigned>(FindingKind::dropout_begin) |
                1U << static_cast<unsigned>(FindingKind::dropout_end));
  EXPECT_EQ(findings_of(detector_named("observer-gap").value()), 0U);
  EXPECT_FALSE(detector_named("no-such-detector"));
}

TEST(Incident, EveryFindingHasADetector) {
  for (std::uint32_t kind = 0; kind < kFindingKinds; ++kind)
    EXPECT_TRUE(detector_named(finding_name(static_cast<FindingKind>(kind)))) << kind;
}

TEST(Incident, NoneOpensAfterTheLoadWasEnded) {
  IncidentTracker tracker;
  tracker.end_load();
  ViewBuilder build;
  const std::array found{no_progress(0, 1)};
  EXPECT_EQ(tracker.update(build.view, found), std::nullopt);
}

}  // namespace
}  // namespace stallproof
