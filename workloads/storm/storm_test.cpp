// SPDX-License-Identifier: Apache-2.0
// Every profile as threads of a load: it works, counts, fails well and ends when it is told.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <thread>

#include "workloads/catalogue.h"
#include "workloads/storm/memory_call.h"
#include "workloads/storm/storm_profiles.h"

namespace stallproof {
namespace {

struct Ran {
  std::uint64_t ops = 0;
  std::uint64_t errors = 0;
  std::uint64_t least_ops = 0;  // of a thread
  bool idle = true;             // no operation was left in flight
  bool own_tid = true;          // slots name their own threads
  Nanos span = 0;               // of the run
  Nanos took = 0;               // from the stop to the end of the last thread
  std::string refusal;
};

constexpr std::uint32_t kTid = 7;

using Meanwhile = void (*)(Nanos span);

void sleep_for(Nanos span) { std::this_thread::sleep_for(std::chrono::nanoseconds(span)); }

void run_threads(Workload& workload, Board& board, Nanos span, Meanwhile meanwhile, Ran& ran) {
  const std::atomic<bool> ended = false;
  std::vector<std::thread> threads;
  board.set_phase(Phase::run);
  const Nanos began = monotonic_now();
  for (unsigned i = 0; i < board.slots().size(); ++i) {
    board.slots()[i].tid.store(kTid + i);
    threads.emplace_back([&, i] {
      WorkerContext ctx{board.slots()[i], i, i + 1, board, ended};
      EXPECT_TRUE(workload.run(ctx));
    });
  }
  meanwhile(span);
  const Nanos stopped = monotonic_now();
  board.set_phase(Phase::stop);
  for (std::thread& thread : threads) thread.join();
  ran.took = monotonic_now() - stopped;
  ran.span = monotonic_now() - began;
}

Ran run_storm(const std::vector<std::string>& words, unsigned threads = 2,
              Nanos span = kSecond / 20, Meanwhile meanwhile = sleep_for) {
  Ran ran;
  const WorkloadInfo& info = *find_workload("mprotect-storm");
  const Board::LoadSpec load{"mprotect-storm", threads};
  auto board = Board::create({&load, 1}, 1);
  const auto workload = info.make();
  const auto prepared =
      workload->prepare({.file = "",
                         .settings = with_defaults(info, *Settings::from_words(words)),
                         .threads = threads});
  if (!prepared) {
    ran.refusal = prepared.error().what;
    return ran;
  }
  run_threads(*workload, *board, span, meanwhile, ran);
  workload->cleanup();
  ran.least_ops = ~0ULL;
  for (unsigned i = 0; i < threads; ++i) {
    const BoardSlot& slot = board->slots()[i];
    ran.ops += slot.ops.load();
    ran.errors += slot.errors.load();
    ran.least_ops = std::min(ran.least_ops, slot.ops.load());
    ran.idle &= slot.op_started_ns.load() == 0;
    ran.own_tid &= slot.tid.load() == kTid + i;
  }
  return ran;
}

void expect_sound(const Ran& ran) {
  EXPECT_EQ(ran.refusal, "");
  EXPECT_GT(ran.ops, 0U);
  EXPECT_EQ(ran.errors, 0U);
  EXPECT_TRUE(ran.idle);
  EXPECT_TRUE(ran.own_tid);
  EXPECT_LT(ran.took, kSecond / 2);
}

TEST(Storm, EveryProfileWorksAndEndsWhenTold) {
  for (const StormProfile& profile : storm_profiles()) {
    if (profile.name == "file") continue;  // replay_test.cpp
    SCOPED_TRACE(std::string(profile.name));
    expect_sound(run_storm({"profile=" + std::string(profile.name)}));
  }
}

TEST(Storm, RawIsWhatAScenarioWithoutAProfileGets) {
  const Ran ran = run_storm({});
  expect_sound(ran);
  EXPECT_GT(ran.least_ops, 100U);
}

TEST(Storm, RawTakesEveryShapeOfMappings) {
  for (const char* vmas : {"own", "shared"})
    for (const char* split : {"on", "off"}) {
      SCOPED_TRACE(std::string(vmas) + ", split " + split);
      expect_sound(run_storm(
          {std::string("mprotect-vmas=") + vmas, std::string("mprotect-split=") + split}, 3));
    }
}

// A busy machine may run the threads late, never early; that rates are kept is measured elsewhere.
void expect_at_most(const Ran& ran, double per_second) {
  const double most = per_second * static_cast<double>(ran.span) / 1e9;
  EXPECT_LE(static_cast<double>(ran.ops), most + 20);
  EXPECT_GT(static_cast<double>(ran.ops), most / 4);
}

TEST(Storm, RateIsNotExceeded) {
  const Ran ran = run_storm({"mprotect-rate=1000"}, 2, kSecond / 5);
  expect_sound(ran);
  expect_at_most(ran, 2000);
}

TEST(Storm, BurstsAreMadeWhole) {
  const Ran ran = run_storm({"burst-calls=50", "burst-every=1h"}, 1, kSecond / 10);
  expect_sound(ran);
  EXPECT_EQ(ran.ops, 50U);
}

TEST(Storm, ALifeIsSixOperations) {
  const Ran ran =
      run_storm({"profile=thread-churn", "birth-rate=100", "stack-size=256KiB"}, 2, kSecond / 5);
  expect_sound(ran);
  EXPECT_EQ(ran.ops % 6, 0U);
  expect_at_most(ran, 2 * 6 * 100);
}

TEST(Storm, AJvmStartsAtItsPace) {
  const Ran ran = run_storm({"profile=jvm-start"}, 2, kSecond / 5);
  expect_sound(ran);
  expect_at_most(ran, 800);
}

// A sanitizer's own memory would be refused too.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// No private memory may become writable for a while.
void forbid_memory(Nanos span) {
  sleep_for(span / 4);
  rlimit before{};
  ::getrlimit(RLIMIT_DATA, &before);
  const rlimit none{kPageBytes, before.rlim_max};
  ::setrlimit(RLIMIT_DATA, &none);
  sleep_for(span / 2);
  ::setrlimit(RLIMIT_DATA, &before);
  sleep_for(span / 4);
}

TEST(Storm, CallsThatFailAreCountedToldOnceAndSurvived) {
  for (const char* profile : {"profile=raw", "profile=thread-churn"}) {
    SCOPED_TRACE(profile);
    testing::internal::CaptureStderr();
    const Ran ran = run_storm({profile}, 2, kSecond / 4, forbid_memory);
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_GT(ran.errors, 2U);
    EXPECT_LT(ran.errors, 500U) << "no pause after a failure";
    EXPECT_GT(ran.ops, ran.errors + 100);
    EXPECT_TRUE(ran.idle);
    EXPECT_NE(told.find("Cannot allocate memory"), std::string::npos) << told;
    EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1) << told;
  }
}

#endif

TEST(Storm, AnUnknownProfileIsRefusedWithTheKnownOnes) {
  const std::string refusal = run_storm({"profile=jvm"}).refusal;
  EXPECT_NE(refusal.find("'jvm'"), std::string::npos) << refusal;
  for (const std::string& name : storm_profile_names())
    EXPECT_NE(refusal.find(name), std::string::npos) << refusal;
  EXPECT_EQ(refusal.find('\n'), std::string::npos);
}

TEST(Storm, BadValuesAreRefusedByName) {
  const std::array<std::vector<std::string>, 8> wrong{{
      {"mprotect-vmas", "mprotect-vmas=some"},
      {"mprotect-split", "mprotect-split=2"},
      {"mprotect-rate", "mprotect-rate=fast"},
      {"stack-size", "profile=thread-churn", "stack-size=1000"},
      {"stack-size", "profile=thread-churn", "stack-size=64KiB"},
      {"birth-rate", "profile=thread-churn", "birth-rate=-1"},
      {"burst-every", "profile=g1-resize", "burst-every=0"},
      {"burst-calls", "profile=polling-page", "burst-calls=x"},
  }};
  for (std::vector<std::string> words : wrong) {
    const std::string name = words.front();
    words.erase(words.begin());
    const std::string refusal = run_storm(words).refusal;
    EXPECT_NE(refusal.find(name), std::string::npos) << name << ": " << refusal;
  }
}

}  // namespace
}  // namespace stallproof
