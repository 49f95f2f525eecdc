// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/replay.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <thread>

#include "harness/base/file.h"
#include "workloads/storm/replay_plan.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kAt = 0x7f0000100000;

MapOperation call(MapCall kind, std::uint32_t thread, std::uint64_t at_us) {
  return {.at_us = at_us, .address = kAt, .length = 16384, .thread = thread, .call = kind};
}

// What a Java thread does, by a thread that another bears.
MapProfile thread_life() {
  MapProfile profile{.comm = "java", .duration_us = 20000, .threads = 2};
  MapOperation stack = call(MapCall::mmap, 0, 10);
  stack.length = 1U << 20U;
  stack.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK;
  stack.prot = PROT_READ | PROT_WRITE;
  MapOperation birth{.at_us = 20, .flags = 0x3d0f00, .child = 1, .call = MapCall::clone};
  MapOperation forget = call(MapCall::madvise, 1, 300);
  forget.flags = MADV_DONTNEED;
  MapOperation rest = call(MapCall::munmap, 0, 500);
  rest.address += rest.length;  // apart from what the other thread does, which may be late
  profile.operations = {
      stack, birth, call(MapCall::mprotect, 1, 200), forget, call(MapCall::exit, 1, 400), rest};
  return profile;
}

struct Replayed {
  Result<> prepared, ended;
  std::uint64_t ops = 0, errors = 0;
};

Replayed replay(const MapProfile& profile, const std::string& repeat) {
  const std::string path = ::testing::TempDir() + "replay" + std::to_string(::getpid());
  Replayed result;
  if (!write_file_atomically(path, format_map_profile(profile))) return result;
  const auto load = make_replay();
  LoadContext context{.threads = 1};
  context.settings.set("profile-file", path);
  context.settings.set("repeat", repeat);
  result.prepared = load->prepare(context);
  ::unlink(path.c_str());
  if (!result.prepared) return result;
  const Board::LoadSpec spec{"replay", 1};
  auto board = Board::create({&spec, 1}, 1);
  const std::atomic<bool> ended = false;
  WorkerContext ctx{.slot = board->slots()[0], .board = *board, .ended = ended};
  result.ended = load->run(ctx);
  result.ops = board->slots()[0].ops.load();
  result.errors = board->slots()[0].errors.load();
  return result;
}

TEST(Replay, EveryCallIsMadeInEachPassAndNoneFails) {
  const Replayed result = replay(thread_life(), "3");
  ASSERT_TRUE(result.prepared) << result.prepared.error().what;
  ASSERT_TRUE(result.ended) << result.ended.error().what;
  EXPECT_EQ(result.ops, 3 * 5U);  // an exit is no op
  EXPECT_EQ(result.errors, 0U);
}

TEST(Replay, RefusedCallsAreCountedAndSurvived) {
  MapProfile profile = thread_life();
  MapOperation gone = profile.operations.back();
  gone.call = MapCall::mprotect;
  profile.operations.push_back(gone);
  const Replayed result = replay(profile, "1");
  ASSERT_TRUE(result.ended) << result.ended.error().what;
  EXPECT_EQ(result.ops, 6U);
  EXPECT_EQ(result.errors, 1U);
}

TEST(Replay, BadParametersAreErrors) {
  const auto load = make_replay();
  LoadContext context{.threads = 1};
  EXPECT_NE(load->prepare(context).error().what.find("profile-file: is missing"),
            std::string::npos);
  context.settings.set("profile-file", "/nonexistent");
  EXPECT_NE(load->prepare(context).error().what.find("/nonexistent"), std::string::npos);
  context.settings.set("speed", "0");
  EXPECT_NE(load->prepare(context).error().what.find("speed: '0'"), std::string::npos);
  EXPECT_FALSE(replay(MapProfile{.threads = 0}, "1").prepared);
}

TEST(ReplayPlan, HarmfulAdviceForksAndPopulatingAreTakenOut) {
  MapProfile profile = thread_life();
  profile.operations[0].flags |= MAP_POPULATE | MAP_LOCKED | MAP_HUGETLB;
  profile.operations[3].flags = MADV_HWPOISON;
  profile.operations.push_back({.at_us = 700, .flags = 17, .call = MapCall::clone});
  const auto map = AddressMap::of(profile.operations);
  ASSERT_TRUE(map);
  const ReplayPlan plan(profile, *map, 1U << 30U);
  EXPECT_EQ(plan.left_out(), 2U);
  EXPECT_EQ(plan.calls(), 5U);
  EXPECT_EQ(plan.calls_of(0)[0].flags,
            static_cast<std::uint64_t>(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_STACK));
  EXPECT_EQ(plan.calls_of(0)[0].address, (1U << 30U) + map->offset_of(kAt));
  EXPECT_EQ(plan.roots(), std::vector<std::uint32_t>{0});
  EXPECT_EQ(plan.threads_at_once(), 2U);
}

TEST(ReplayPlan, BreaksBecomeTheChangeThatTheyAre) {
  MapProfile profile{.threads = 1};
  for (const std::uint64_t end : {0x1000100U, 0x1022000U, 0x1011000U})
    profile.operations.push_back({.address = end, .call = MapCall::brk});
  const auto map = AddressMap::of(profile.operations);
  ASSERT_TRUE(map);
  const ReplayPlan plan(profile, *map, 0);
  ASSERT_EQ(plan.calls(), 2U);
  EXPECT_EQ(plan.calls_of(0)[0].call, MapCall::mmap);
  EXPECT_EQ(plan.calls_of(0)[0].address, map->offset_of(0x1001000));
  EXPECT_EQ(plan.calls_of(0)[0].length, 0x21000U);
  EXPECT_EQ(plan.calls_of(0)[1].call, MapCall::munmap);
  EXPECT_EQ(plan.calls_of(0)[1].length, 0x11000U);
}

}  // namespace
}  // namespace stallproof
