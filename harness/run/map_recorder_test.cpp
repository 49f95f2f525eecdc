// SPDX-License-Identifier: Apache-2.0
#include "harness/run/map_recorder.h"

#include <gtest/gtest.h>

#include <cstring>

namespace stallproof {
namespace {

constexpr Nanos kStart = 1000 * kSecond;
constexpr std::uint64_t kThreadFlags = 0x003d0f00, kForkFlags = 0x01200000;

MapRecorder recorder() {
  return MapRecorder({.comm = "java", .kernel = "6.18", .monotonic = kStart, .realtime = kSecond});
}

MapEvent event(std::uint32_t kind, std::uint32_t tid, Nanos at) {
  MapEvent made{};
  made.kind = kind;
  made.tid = tid;
  made.time_ns = kStart + at;
  return made;
}

MapEvent birth(std::uint32_t tid, std::uint32_t child, std::uint64_t flags) {
  MapEvent made = event(MAP_EVENT_CLONE, tid, kMillisecond);
  made.child = child;
  made.flags = flags;
  return made;
}

TEST(MapRecorder, ThreadsAreNumberedByFirstAppearance) {
  auto record = recorder();
  record.take(event(MAP_EVENT_MUNMAP, 700, 5000));
  record.take(birth(700, 500, kThreadFlags));
  record.take(event(MAP_EVENT_MUNMAP, 500, 2 * kMillisecond));
  record.take(event(MAP_EVENT_MUNMAP, 700, 3 * kMillisecond));
  const MapProfile profile = record.finish(kStart + kSecond, 0, 2);
  ASSERT_EQ(profile.operations.size(), 4U);
  EXPECT_EQ(profile.operations[0].at_us, 5U);
  EXPECT_EQ(profile.operations[0].thread, 0U);
  EXPECT_EQ(profile.operations[1].child, 1U);
  EXPECT_EQ(profile.operations[2].thread, 1U);
  EXPECT_EQ(profile.operations[3].thread, 0U);
  EXPECT_EQ(profile.threads, 2U);
  EXPECT_EQ(profile.duration_us, 1000000U);
  EXPECT_EQ(profile.failed, 2U);
}

TEST(MapRecorder, ANumberUsedAgainIsAnotherThread) {
  auto record = recorder();
  record.take(birth(1, 2, kThreadFlags));
  record.take(event(MAP_EVENT_EXIT, 2, 2 * kMillisecond));
  record.take(birth(1, 2, kThreadFlags));
  record.take(birth(1, 2, kThreadFlags));  // the end between was lost
  const MapProfile profile = record.finish(kStart + kSecond, 1, 0);
  EXPECT_EQ(profile.threads, 4U);
  const auto read = parse_map_profile(format_map_profile(profile), "f");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->lost, 1U);
}

TEST(MapRecorder, ProcessesAreLeftOutAndCounted) {
  auto record = recorder();
  record.take(birth(1, 2, kForkFlags));
  MapEvent other = event(MAP_EVENT_OTHER_EXEC, 2, 5);
  std::memcpy(other.comm, "sh", 3);
  record.take(other);
  EXPECT_EQ(record.other_programs(), std::set<std::string>{"sh"});
  const MapProfile profile = record.finish(kStart + kSecond, 0, 0);
  EXPECT_EQ(profile.left_out, 1U);
  EXPECT_EQ(profile.threads, 1U);
  EXPECT_EQ(profile.operations[0].child, kNoThread);
}

TEST(MapRecorder, AnotherProgramBeginsAnotherProfile) {
  auto record = recorder();
  record.take(event(MAP_EVENT_MUNMAP, 1, 5));
  MapEvent exec = event(MAP_EVENT_EXEC, 1, 10 * kSecond);
  std::memcpy(exec.comm, "fifteen_letters", 16);
  record.take(exec);
  record.take(event(MAP_EVENT_MUNMAP, 1, 11 * kSecond));
  const MapProfile profile = record.finish(kStart + 12 * kSecond, 0, 0);
  EXPECT_EQ(profile.comm, "fifteen_letters");
  ASSERT_EQ(profile.operations.size(), 1U);
  EXPECT_EQ(profile.operations[0].at_us, 1000000U);
  EXPECT_EQ(profile.duration_us, 2000000U);
}

TEST(MapRecorder, AddressesAProfileCannotHoldAreLost) {
  auto record = recorder();
  MapEvent beyond = event(MAP_EVENT_MUNMAP, 1, 5);
  beyond.address = 1ULL << 50U;
  record.take(beyond);
  const MapProfile profile = record.finish(kStart + kSecond, 0, 0);
  EXPECT_EQ(profile.lost, 1U);
  EXPECT_TRUE(profile.operations.empty());
}

}  // namespace
}  // namespace stallproof
