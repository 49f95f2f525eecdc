// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/scenario.h"

#include <gtest/gtest.h>

#include "harness/scenario/catalogue.h"

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

TEST(MmapLockFault, ImpossibleParametersAreRefusedByName) {
  for (const char* word : {"fault-threads=0", "direct-threads=many", "direct-size=1000",
                           "queue=lifo", "file-size=4096", "warmup=soon", "notifier=me"}) {
    const auto plan = plan_scenario(reported_stall(), {.params = *Settings::from_words({word})});
    ASSERT_FALSE(plan) << word;
    const std::string key = std::string(word).substr(0, std::string(word).find('='));
    EXPECT_NE(plan.error().what.find(key), std::string::npos) << plan.error().what;
  }
}

}  // namespace
}  // namespace stallproof
