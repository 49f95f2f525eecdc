// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/scenario/catalogue.h"
#include "workloads/catalogue.h"
#include "workloads/injector/injector_catalogue.h"

namespace stallproof {
namespace {

const Scenario& reported_stall() { return **find_scenario("mmap-lock-fault"); }

TEST(ScenarioCatalogue, UnknownNamesListTheKnownOnes) {
  const auto scenario = find_scenario("mmap-lock-fautl");
  ASSERT_FALSE(scenario);
  EXPECT_NE(scenario.error().what.find("mmap-lock-fault"), std::string::npos);
  const auto variant = plan_scenario(reported_stall(), {.variant = "eio"});
  ASSERT_FALSE(variant);
  EXPECT_NE(variant.error().what.find("read-error, invalidate"), std::string::npos);
  const auto fix = plan_scenario(reported_stall(), {.fix = "pin"});
  ASSERT_FALSE(fix);
  EXPECT_NE(fix.error().what.find("pin-at-submit, split-pool, no-writer"), std::string::npos);
  const auto param = plan_scenario(reported_stall(), {.params = *Settings::from_words({"x=1"})});
  ASSERT_FALSE(param);
  EXPECT_NE(param.error().what.find("warmup"), std::string::npos);
}

TEST(ScenarioCatalogue, EveryScenarioCanBePlannedWithItsDefaults) {
  for (const Scenario& scenario : scenarios()) {
    const auto plan = plan_scenario(scenario, {});
    ASSERT_TRUE(plan) << scenario.id << ": " << plan.error().what;
    EXPECT_EQ(plan->expected_class, scenario.expected_class);
    EXPECT_FALSE(plan->loads.empty());
  }
}

// What a child process would refuse is no plan.
void expect_known(const LabPlan& plan) {
  for (const LabPlan::Load& load : plan.loads)
    EXPECT_NE(find_workload(load.name), nullptr) << load.name;
  if (plan.injector.empty()) return;
  const InjectorInfo* const injector = find_injector(plan.injector);
  ASSERT_NE(injector, nullptr) << plan.injector;
  std::vector<std::string> known;
  for (const WorkloadParameter& parameter : injector->parameters)
    known.emplace_back(parameter.name);
  EXPECT_TRUE(plan.injector_words.refuse_unknown(known));
  EXPECT_TRUE(plan.worker.refuse_unknown(all_workload_parameters()));
}

TEST(ScenarioCatalogue, EveryVariantNamesLoadsInjectorsAndWordsThatThereAre) {
  for (const Scenario& scenario : scenarios())
    for (const Named& variant : scenario.variants) {
      SCOPED_TRACE(std::string(scenario.id) + " " + std::string(variant.name));
      const auto plan = plan_scenario(scenario, {.variant = std::string(variant.name)});
      ASSERT_TRUE(plan) << plan.error().what;
      if (scenario.id != "mmap-lock-fault") expect_known(*plan);
    }
}

TEST(ScenarioCatalogue, BriefTwinsAreHealedBeforeAnythingIsAStall) {
  for (const char* id :
       {"fs-frozen", "vma-lock-freeze", "io-throttled", "cpu-starved", "frozen-cgroup", "stopped",
        "dm-suspended", "jbd2-commit", "nbd-dead", "nfs-server-gone", "kmod-hold-mutex",
        "kmod-hold-mmap-read", "kmod-hold-spin"}) {
    const auto brief = plan_scenario(**find_scenario(id), {.variant = "brief"});
    const auto stalls = plan_scenario(**find_scenario(id), {});
    ASSERT_TRUE(brief && stalls) << id;
    EXPECT_GT(brief->healed_after, 0U) << id;
    EXPECT_LT(brief->healed_after, kSecond) << id;
    EXPECT_EQ(stalls->healed_after, 0U) << id;
  }
}

TEST(ScenarioCatalogue, ParametersOfTheSmallScenariosAreChecked) {
  const auto refused = [](const char* id, const char* word) {
    const auto plan = plan_scenario(**find_scenario(id), {.params = *Settings::from_words({word})});
    return !plan && plan.error().what.find(std::string(word).substr(0, 5)) != std::string::npos;
  };
  EXPECT_TRUE(refused("vma-lock-freeze", "threads=2"));
  EXPECT_TRUE(refused("fs-frozen", "threads=0"));
  EXPECT_TRUE(refused("io-uring-silent", "depth=0"));
  EXPECT_TRUE(refused("io-uring-silent", "depth=few"));
  EXPECT_TRUE(refused("control-rate-limited-idle", "every=often"));
  EXPECT_TRUE(refused("stopped", "warmup=2h"));
}

TEST(ScenarioCatalogue, WhatRunsInAVmSaysWhatItNeedsThere) {
  for (const Scenario& scenario : scenarios()) {
    const auto plan = plan_scenario(scenario, {});
    ASSERT_TRUE(plan) << scenario.id;
    EXPECT_EQ(plan->needs.empty(), scenario.where == "host") << scenario.id;
    for (const Need& need : plan->needs) {
      EXPECT_TRUE(need.path.starts_with('/')) << scenario.id;
      EXPECT_FALSE(need.what.empty() || need.try_this.empty()) << scenario.id;
    }
  }
}

LabPlan planned(const char* id, const char* variant, const char* fix = "") {
  const auto plan = plan_scenario(**find_scenario(id), {.variant = variant, .fix = fix});
  EXPECT_TRUE(plan) << id << " " << variant << ": " << plan.error().what;
  return plan.value_or(LabPlan{});
}

TEST(ScenarioCatalogue, EveryScenarioHasAQuietTwinOrAFix) {
  for (const Scenario& scenario : scenarios()) {
    bool quiet = !scenario.fixes.empty();
    for (const Named& variant : scenario.variants) {
      const auto plan = plan_scenario(scenario, {.variant = std::string(variant.name)});
      ASSERT_TRUE(plan) << scenario.id << " " << variant.name << ": " << plan.error().what;
      quiet = quiet || variant.quiet;
    }
    EXPECT_TRUE(quiet) << scenario.id;
  }
}

TEST(FuseScenarios, ACircleAndAHolderAreDifferentClasses) {
  for (const char* id : {"mmap-lock-munmap", "mmap-lock-mapfixed", "mmap-lock-direct-mmap"}) {
    EXPECT_EQ(planned(id, "cycle").expected_class, "mmap_lock_cycle");
    EXPECT_EQ(planned(id, "held").expected_class, "mmap_lock_held");
    EXPECT_EQ(planned(id, "slow").expected_class, "none");
    EXPECT_NE(planned(id, "cycle").behaviour, planned(id, "held").behaviour);
  }
}

TEST(FuseScenarios, NoWriterTakesTheWriterAway) {
  EXPECT_EQ(planned("mmap-lock-munmap", "cycle").loads.size(), 3U);
  EXPECT_EQ(planned("mmap-lock-munmap", "cycle", "no-writer").loads.size(), 2U);
}

TEST(FuseScenarios, ALoadWithoutThreadsIsLeftOutWhereItIsNotTheLastOne) {
  const auto with = [](const char* id, std::vector<std::string> words) {
    return plan_scenario(**find_scenario(id), {.params = *Settings::from_words(words)});
  };
  const auto fewer = with("mmap-lock-mapfixed", {"direct-threads=0", "mprotect-threads=0"});
  ASSERT_TRUE(fewer) << fewer.error().what;
  EXPECT_EQ(fewer->loads.size(), 1U);
  EXPECT_EQ(with("fuse-server-hung", {"fault-threads=0"})->loads.size(), 1U);
  EXPECT_FALSE(with("fuse-server-hung", {"fault-threads=0", "direct-threads=0"}));
  EXPECT_FALSE(with("mmap-lock-mapfixed", {"direct-threads=65"}));
  EXPECT_FALSE(with("mmap-lock-fault", {"fault-threads=0"}));
}

TEST(FuseScenarios, AStoppedServiceIsNoMisbehaviour) {
  EXPECT_EQ(planned("fuse-server-hung", "stopped").arming, Arming::stop_service);
  EXPECT_EQ(planned("fuse-server-hung", "silent").arming, Arming::misbehaviour);
  EXPECT_EQ(planned("fuse-server-hung", "naps").arming, Arming::nap_service);
}

TEST(FuseScenarios, APauseThatWouldBeAStallIsRefused) {
  for (const char* word : {"pause=1s", "pause=soon", "warmup=61m", "direct-threads=65"}) {
    const auto plan = plan_scenario(**find_scenario("mmap-lock-munmap"),
                                    {.params = *Settings::from_words({word})});
    ASSERT_FALSE(plan) << word;
    const std::string key = std::string(word).substr(0, std::string(word).find('='));
    EXPECT_NE(plan.error().what.find(key), std::string::npos) << plan.error().what;
  }
}

TEST(KmodMmapLock, AFixNeedsTheModuleToBeLoadedWithIt) {
  const auto plain = planned("kmod-mmap-lock", "faults");
  const auto fixed = planned("kmod-mmap-lock", "faults", "trylock");
  EXPECT_EQ(plain.needs.back().value, "none");
  EXPECT_EQ(fixed.needs.back().value, "trylock");
  EXPECT_TRUE(fixed.has_hazard);
}

TEST(MmapLockFault, EachFixChangesExactlyItsPart) {
  const auto plain = plan_scenario(reported_stall(), {});
  const auto pinned = plan_scenario(reported_stall(), {.fix = "pin-at-submit"});
  const auto split = plan_scenario(reported_stall(), {.fix = "split-pool"});
  const auto silent = plan_scenario(reported_stall(), {.fix = "no-writer"});
  EXPECT_EQ(plain->worker.text("pin", ""), "0");
  EXPECT_EQ(pinned->worker.text("pin", ""), "1");
  EXPECT_EQ(plain->ffs.text("page-threads", ""), "0");
  EXPECT_EQ(split->ffs.text("page-threads", ""), "2");
  EXPECT_EQ(plain->loads.size(), 3U);
  EXPECT_EQ(silent->loads.size(), 2U);
}

TEST(ScenarioCatalogue, PlanSaysWithWhichParametersItRuns) {
  const auto plan =
      plan_scenario(reported_stall(), {.params = *Settings::from_words({"direct-threads=3"})});
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(plan->params.all().size(), reported_stall().params.size());
  EXPECT_EQ(plan->params.text("direct-threads", ""), "3");
  EXPECT_EQ(plan->params.text("warmup", ""), "2s");
}

TEST(MmapLockFault, ParametersAtTheirLimitsAreAccepted) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"direct-size=1MiB", "file-size=16MiB"},
        {"queue=hashed", "service-threads=2"},
        {"hot-pages=65536", "file-size=256MiB"},
        {"direct-threads=65530", "fault-threads=4", "mprotect-threads=2"},
        {"service-threads=1024", "page-threads=1024"},
        {"warmup=1h"}}) {
    const auto plan = plan_scenario(reported_stall(), {.params = *Settings::from_words(words)});
    EXPECT_TRUE(plan) << words[0] << ": " << plan.error().what;
  }
}

TEST(MmapLockFault, ThreadsBeyondTheBoardAreRefusedTogether) {
  const auto plan =
      plan_scenario(reported_stall(),
                    {.params = *Settings::from_words({"direct-threads=65531", "fault-threads=4"})});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().what.find("65537 together, at most 65536"), std::string::npos);
  EXPECT_EQ(plan.error().origin, Origin::user);
}

TEST(MmapLockFault, HashedQueueNeedsASecondServiceThread) {
  const auto plan = plan_scenario(
      reported_stall(), {.params = *Settings::from_words({"queue=hashed", "service-threads=1"})});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().what.find("service-threads"), std::string::npos);
  const auto small = plan_scenario(
      reported_stall(),
      {.params = *Settings::from_words({"queue=hashed", "service-threads=17", "file-size=16MiB"})});
  ASSERT_FALSE(small);
  EXPECT_NE(small.error().what.find("file-size"), std::string::npos);
}

TEST(MmapLockFault, ImpossibleParametersAreRefusedByName) {
  for (const char* word :
       {"fault-threads=0", "direct-threads=many", "direct-threads=65537", "service-threads=1025",
        "page-threads=1025", "direct-size=1000", "direct-size=1052672",
        "direct-size=1152921504606846976", "queue=lifo", "file-size=4096", "file-size=2TiB",
        "hot-pages=65537", "warmup=soon", "warmup=61m", "notifier=me"}) {
    const auto plan = plan_scenario(reported_stall(), {.params = *Settings::from_words({word})});
    ASSERT_FALSE(plan) << word;
    const std::string key = std::string(word).substr(0, std::string(word).find('='));
    EXPECT_NE(plan.error().what.find(key), std::string::npos) << plan.error().what;
  }
}

}  // namespace
}  // namespace stallproof
