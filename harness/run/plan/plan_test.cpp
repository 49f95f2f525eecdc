// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/base/testing/tree_places.h"
#include "harness/board/board.h"
#include "harness/run/plan/plan_orders.h"
#include "workloads/catalogue.h"

namespace stallproof {
namespace {

constexpr const char* kLoad = "[[process]]\n[[process.load]]\nworkload = \"mprotect-storm\"\n";

Result<LoadPlan> parse(const std::string& text) { return parse_plan(text, "p.toml", "/mnt"); }

// What is said of a plan that must be refused.
std::string refusal(const std::string& text) {
  const auto plan = parse(text);
  return plan ? "accepted" : plan.error().what;
}

void expect_refusal(const std::string& text, const std::string& place, const std::string& word) {
  const std::string said = refusal(text);
  EXPECT_EQ(said.find("p.toml:" + place + ": "), 0U) << said;
  EXPECT_NE(said.find(word), std::string::npos) << said;
  EXPECT_EQ(said.find('\n'), std::string::npos) << said;
}

TEST(LoadPlan, DefaultsAreFilledIn) {
  const auto plan = parse(kLoad);
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(plan->name, "p");
  EXPECT_EQ(plan->duration, 60 * kSecond);
  EXPECT_EQ(plan->target, "/mnt");
  EXPECT_NE(plan->seed, 0U);
  ASSERT_EQ(plan->processes.size(), 1U);
  const PlanLoad& load = plan->processes[0].loads.at(0);
  EXPECT_EQ(load.name, "mprotect-storm");
  EXPECT_EQ(load.thread_names, "mprotect");
  EXPECT_EQ(load.parameters.text("mprotect-rate", ""), "0");
}

TEST(LoadPlan, KnownStallIsMadeInLongRunsAndWhereAskedFor) {
  const std::string load = kLoad;
  EXPECT_TRUE(wants_canary(*parse("[plan]\nduration = 60\n" + load)));
  EXPECT_FALSE(wants_canary(*parse("[plan]\nduration = 59\n" + load)));
  EXPECT_TRUE(wants_canary(*parse("[plan]\nduration = 5\n[canary]\nenabled = true\n" + load)));
  EXPECT_FALSE(wants_canary(*parse("[canary]\nenabled = false\n" + load)));
  EXPECT_FALSE(wants_canary(*parse("[canary]\nwhen = []\n" + load)));
  const auto beside = parse("[canary]\nwhen = [\"beside\"]\n" + load);
  ASSERT_TRUE(beside) << beside.error().what;
  EXPECT_TRUE(beside->canary.beside && !beside->canary.before && !beside->canary.after);
  const auto again = parse(plan_toml(*beside));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(plan_toml(*again), plan_toml(*beside));
}

TEST(LoadPlan, ErrorsNameThePlaceAndTheWord) {
  expect_refusal("[canary]\nwhen = [\"during\"]\n", "2:8", "during");
  expect_refusal("[canary]\nenabled = 1\n", "2:11", "true or false");
  expect_refusal("[plan]\nduration = \"soon\"\n", "2:12", "soon");
  expect_refusal("[plan]\nduration = 0\n", "2:12", "zero");
  expect_refusal("[plan]\nduration = [1]\n", "2:12", "duration");
  expect_refusal("[plan]\nseed = 0\n", "2:8", "seed");
  expect_refusal("[plan]\nseed = \"x\"\n", "2:8", "whole number");
  expect_refusal("[plan]\nsize = \"big\"\n", "2:8", "big");
  expect_refusal("[plan]\nname = \"a b\"\n", "2:8", "a b");
  expect_refusal("[plan]\ndurations = 5\n", "2:1", "known: duration");
  expect_refusal("plan = 5\n", "1:8", "table");
  expect_refusal("[plan\n", "1:6", "");
  expect_refusal("[thresholds]\ndropout_below = 2\n", "2:17", "between 0 and 1");
  expect_refusal("[thresholds]\nstall_after = \"1ms\"\n", "2:15", "100ms");
  expect_refusal("[thresholds]\nfail_after = \"500ms\"\n", "2:14", "shorter than stall_after");
  expect_refusal("[thresholds]\nmax_dropouts = -1\n", "2:16", "max_dropouts");
}

TEST(LoadPlan, ErrorsOfProcessesAndLoadsNameThePlaceAndTheWord) {
  const std::string load = kLoad;
  expect_refusal("[plan]\n", "1:1", "no [[process]]");
  expect_refusal("[[process]]\n", "1:1", "no [[process.load]]");
  expect_refusal("[process]\nname = \"x\"\n", "1:1", "two brackets");
  expect_refusal("[[process]]\n[[process.load]]\n", "2:1", "workload: is missing");
  expect_refusal("[[process]]\n[[process.load]]\nworkload = \"sleep\"\n", "3:12", "mapped-fault");
  expect_refusal(load + "threads = 0\n", "4:11", "between 1 and");
  expect_refusal(load + "threads = 65537\n", "4:11", "65536");
  expect_refusal(load + "threads = 1.5\n", "4:11", "whole number");
  expect_refusal(load + "cpus = \"3-1\"\n", "4:8", "3-1");
  expect_refusal(load + "cpus = [true]\n", "4:8", "list of CPUs");
  expect_refusal(load + "path = \"../x\"\n", "4:8", "../x");
  expect_refusal(load + "path = \"\"\n", "4:8", "path");
  expect_refusal(load + "thread_names = \"a-name-that-is-long\"\n", "4:16", "printable");
  expect_refusal(load + "hot-pages = 5\n", "4:1", "mprotect-rate");
  expect_refusal(load + "mprotect-rate = true\n", "4:17", "neither");
  expect_refusal(load + "rate = 5\nmprotect-rate = 6\n", "4:8", "give one");
  expect_refusal(load + "name = \"a/b\"\n", "4:8", "a/b");
  expect_refusal(load + "duration = \"0s\"\n", "4:12", "zero");
  expect_refusal(load + load, "5:1", "is taken already");
  expect_refusal(load + "start = \"60s\"\n", "1:1", "after the end");
}

TEST(LoadPlan, ParametersThatTheWorkerWouldRefuseAreRefusedAtTheirPlace) {
  const std::string direct = "[[process]]\n[[process.load]]\nworkload = \"direct-io\"\n";
  expect_refusal(direct + "io-size = \"abc\"\n", "4:11",
                 "io-size: 'abc' is not a size (write 4096");
  expect_refusal(direct + "io-size = 0\n", "4:11", "multiple of 512 up to");
  expect_refusal(direct + "io-read-percent = nan\n", "4:19", "'nan' is not a whole number");
  expect_refusal(direct + "io-rate = -1\n", "4:11", "'-1' is not a whole number");
  expect_refusal(direct + "rate = -1\n", "4:8", "rate: '-1' is not a whole number");
  expect_refusal(direct + "io-order = \"foo\"\n", "4:12", "one of: random, sequential");
  expect_refusal(direct + "io-rate = 5\nio-every = \"1s\"\n", "5:12", "leave one out");
  expect_refusal(direct + "io-size = \"3KiB\"\n", "2:1", "io-file-size: ");
  const std::string fault = "[[process]]\n[[process.load]]\nworkload = \"mapped-fault\"\n";
  expect_refusal(fault + "fault-msync = \"sync\"\n", "4:15", "nothing is written");
  const std::string storm = kLoad;
  expect_refusal(storm + "profile = \"file\"\n", "2:1", "profile-file: is missing");
  expect_refusal(storm + "profile = \"thread-churn\"\nstack-size = 1\n", "5:14", "128KiB");
  expect_refusal(storm + "burst-calls = 5\nrate = 1\n", "5:8", "a burst has no rate");
  const std::string lock = "[[process]]\n[[process.load]]\nworkload = \"futex-lock\"\n";
  expect_refusal(lock + "lock-armed = \"crosswise\"\nthreads = 1\n", "5:11", "2 at least");
}

// Whatever a load's parameter cannot be, the plan says; whatever its defaults are, it takes.
TEST(LoadPlan, NoParameterOfAnyWorkloadIsTakenUnread) {
  for (const WorkloadInfo& info : workload_catalogue()) {
    const std::string load =
        fmt::format("[[process]]\n[[process.load]]\nworkload = \"{}\"\n", info.name);
    EXPECT_TRUE(parse(load)) << refusal(load);
    for (const WorkloadParameter& parameter : info.parameters) {
      if (info.name == "mprotect-storm" && parameter.name != "profile") continue;  // as its profile
      expect_refusal(fmt::format("{}{} = \"no such value\"\n", load, parameter.name),
                     fmt::format("4:{}", parameter.name.size() + 4),
                     fmt::format("{}: '", parameter.name));
    }
  }
}

TEST(LoadPlan, ErrorsOfPhasesNameThePlaceAndTheWord) {
  const std::string load = kLoad;
  expect_refusal(load + "[[phase]]\n", "4:1", "duration: is missing");
  expect_refusal(load + "[[phase]]\nduration = \"1ms\"\n", "5:12", "100ms");
  expect_refusal(load + "[[phase]]\nduration = \"1s\"\nloads = [\"x\"]\n", "6:9", "no load 'x'");
  expect_refusal(load + "[[phase]]\nduration = \"1s\"\nloads = 5\n", "6:9", "list of names");
}

TEST(LoadPlan, NoMoreLoadsAndThreadsThanTheBoardHolds) {
  std::string many = "[[process]]\n";
  for (std::size_t i = 0; i <= kMaxLoads; ++i)
    many +=
        "[[process.load]]\nworkload = \"mprotect-storm\"\nname = \"l" + std::to_string(i) + "\"\n";
  EXPECT_NE(refusal(many).find("more than 32 loads"), std::string::npos) << refusal(many);
  std::string large = "[[process]]\n";
  for (int i = 0; i < 2; ++i)
    large += "[[process.load]]\nworkload = \"mprotect-storm\"\nthreads = 40000\nname = \"l" +
             std::to_string(i) + "\"\n";
  EXPECT_NE(refusal(large).find("more than 65536 threads"), std::string::npos) << refusal(large);
}

TEST(LoadPlan, WithoutATargetOnlyAbsolutePathsAreTaken) {
  EXPECT_FALSE(parse_plan(kLoad, "p.toml"));
  EXPECT_TRUE(parse_plan(std::string(kLoad) + "path = \"/x/y\"\n", "p.toml"));
}

TEST(LoadPlan, FilesMayNotOutgrowTheSize) {
  const std::string plan =
      "[plan]\nsize = \"100MiB\"\n[[process]]\n[[process.load]]\nworkload = \"mapped-fault\"\n";
  EXPECT_TRUE(parse(plan + "file-size = \"100MiB\"\n"));
  EXPECT_NE(refusal(plan + "file-size = \"101MiB\"\n").find("more than size"), std::string::npos);
}

TEST(LoadPlan, TheExpandedPlanIsTheSamePlan) {
  std::vector<std::string> texts{
      kLoad, std::string(kLoad) +
                 "thread_names = \"java\"\npath = \"a \\\"b\\\" \\\\c\"\n"
                 "cpus = \"0-2,5\"\nstart = \"1500ms\"\nrate = 7\n"
                 "[[phase]]\nname = \"x\"\nduration = \"2.5s\"\nloads = []\n"
                 "[thresholds]\nmax_dropouts = 3\nmax_dropout_seconds = 2.5\nmin_ops = 9\n"
                 "[notify]\ncommand = [\"/bin/x\", \"a \\\"b\\\"\", \"\"]\n"};
  for (const std::string& text : texts) {
    const auto plan = parse(text);
    ASSERT_TRUE(plan) << plan.error().what;
    const std::string expanded = plan_toml(*plan);
    const auto again = parse_plan(expanded, "again.toml");
    ASSERT_TRUE(again) << again.error().what << "\n" << expanded;
    EXPECT_EQ(plan_toml(*again), expanded);
    EXPECT_EQ(again->seed, plan->seed);
  }
}

TEST(LoadPlan, NoticesGoToAProgramWithItsWords) {
  const auto plan = parse(std::string(kLoad) + "[notify]\ncommand = [\"mail\", \"-s\", \"a b\"]\n");
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(plan->notify, (std::vector<std::string>{"mail", "-s", "a b"}));
  EXPECT_TRUE(parse(kLoad)->notify.empty());
  const std::string notify = std::string(kLoad) + "[notify]\n";
  expect_refusal(notify, "4:1", "command: is missing");
  expect_refusal(notify + "command = []\n", "5:11", "no program");
  expect_refusal(notify + "command = [\"\"]\n", "5:11", "no program");
  expect_refusal(notify + "command = \"mail root\"\n", "5:11", "list of names");
  expect_refusal(notify + "command = [\"a\\u0000b\"]\n", "5:11", "no program");
  expect_refusal(notify + "command = [\"a\"]\nevery = 5\n", "6:1", "known: command");
}

constexpr const char* kTwoTargets =
    "[thresholds]\nfail_after = \"20s\"\nmax_dropouts = 4\n"
    "[[process]]\n"
    "[[process.load]]\nworkload = \"mprotect-storm\"\n"
    "[[process.load]]\nname = \"slow\"\nworkload = \"direct-io\"\npath = \"/nfs/file\"\n"
    "[process.load.thresholds]\nstall_after = \"30s\"\ndropout_below = 0.02\n";

TEST(LoadPlan, ALoadMayHaveThresholdsOfItsOwn) {
  const auto plan = parse(kTwoTargets);
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_FALSE(plan->processes[0].loads[0].limits);
  const auto& own = plan->processes[0].loads[1].limits;
  ASSERT_TRUE(own);
  EXPECT_EQ(own->thresholds.stall_after, 30 * kSecond);
  EXPECT_EQ(own->thresholds.fail_after, 30 * kSecond) << "never less than stall_after";
  EXPECT_EQ(own->thresholds.dropout_below, 0.02);
  EXPECT_FALSE(own->max_dropouts);
  const auto of_loads = own_thresholds(*plan);
  ASSERT_EQ(of_loads.size(), 1U);
  EXPECT_EQ(of_loads[0].load, 1U);
  EXPECT_EQ(plan_toml(*parse_plan(plan_toml(*plan), "again.toml")), plan_toml(*plan));
}

TEST(LoadPlan, AStallFailsByTheStrictestOfItsLoads) {
  const auto plan = parse(kTwoTargets);
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(fail_after_of(*plan, 0b01), 20 * kSecond);
  EXPECT_EQ(fail_after_of(*plan, 0b10), 30 * kSecond);
  EXPECT_EQ(fail_after_of(*plan, 0b11), 20 * kSecond);
  EXPECT_EQ(fail_after_of(*plan, 0), 20 * kSecond);
  EXPECT_EQ(longest_fail_after(*plan), 30 * kSecond);
}

TEST(LoadPlan, ErrorsOfALoadsThresholdsNameThePlaceAndTheWord) {
  const std::string own = std::string(kLoad) + "[process.load.thresholds]\n";
  expect_refusal(own + "stall_after = \"1ms\"\n", "5:15", "100ms");
  expect_refusal(own + "fail_after = \"500ms\"\n", "5:14", "shorter than stall_after");
  expect_refusal(own + "dropout_below = 2\n", "5:17", "between 0 and 1");
  expect_refusal(own + "max_dropouts = -1\n", "5:16", "max_dropouts");
  expect_refusal(own + "stall = 1\n", "5:1", "known: dropout_below");
  expect_refusal(std::string(kLoad) + "thresholds = 5\n", "4:14", "table");
}

TEST(LoadPlan, ShippedExamplesAreAccepted) {
  unsigned found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_file("examples/plans"))) {
    const auto plan = read_plan_file(entry.path().string(), "/mnt");
    EXPECT_TRUE(plan) << plan.error().what;
    ++found;
  }
  EXPECT_GE(found, 2U);
}

TEST(PlanOrders, TimesOfProcessLoadAndPhasesBecomeOneSchedule) {
  const auto plan = parse(
      "[[process]]\nstart = \"2s\"\nduration = \"10s\"\n[[process.load]]\nname = \"a\"\n"
      "workload = \"mprotect-storm\"\nstart = \"1s\"\nduration = \"20s\"\npath = \"d/f\"\n"
      "[[phase]]\nduration = \"5s\"\nloads = []\n[[phase]]\nduration = \"5s\"\n");
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(plan->duration, 10 * kSecond);
  const auto orders = work_orders(*plan, "/mnt/.stallproof-1");
  const LoadOrder& load = orders.at(0).loads.at(0);
  EXPECT_EQ(load.file, "/mnt/.stallproof-1/d/f");
  EXPECT_EQ(load.schedule.start, 3 * kSecond);
  EXPECT_EQ(load.schedule.end, 12 * kSecond);
  EXPECT_FALSE(load.schedule.on_at(4 * kSecond));
  EXPECT_TRUE(load.schedule.on_at(6 * kSecond));
}

}  // namespace
}  // namespace stallproof
