// SPDX-License-Identifier: Apache-2.0
// The scenarios in which a program stalls by itself: what each variant changes, what is refused.
#include <gtest/gtest.h>

#include "harness/scenario/catalogue.h"
#include "harness/scenario/scenario.h"

namespace stallproof {
namespace {

Result<LabPlan> planned(const char* id, const char* variant,
                        const std::vector<std::string>& words = {}) {
  return plan_scenario(**find_scenario(id),
                       {.variant = variant, .params = *Settings::from_words(words)});
}

TEST(ScenarioCatalogue, EveryScenarioHasAWayToStayQuiet) {
  for (const Scenario& scenario : scenarios()) {
    bool quiet = !scenario.fixes.empty();
    for (const Named& variant : scenario.variants) quiet = quiet || variant.quiet;
    EXPECT_TRUE(quiet) << scenario.id;
  }
}

TEST(ScenarioCatalogue, EveryVariantCanBePlanned) {
  for (const Scenario& scenario : scenarios())
    for (const Named& variant : scenario.variants)
      EXPECT_TRUE(plan_scenario(scenario, {.variant = std::string(variant.name)}))
          << scenario.id << ' ' << variant.name;
}

TEST(UserspaceLock, NeitherServiceNorInjectorIsPartOfIt) {
  const auto held = planned("userspace-lock", "held");
  EXPECT_FALSE(held->service);
  EXPECT_TRUE(held->injector.empty());
  EXPECT_EQ(held->arming, Arming::load_itself);
  EXPECT_EQ(held->expected_root, "futex-lock/0");
  const auto cycle = planned("userspace-lock", "cycle");
  EXPECT_EQ(cycle->worker.text("lock-armed", ""), "crosswise");
  EXPECT_EQ(cycle->expected_root, "");
}

TEST(UserspaceLock, OnlyTheTwinEndsByItself) {
  EXPECT_FALSE(planned("userspace-lock", "held")->worker.has("lock-lasts"));
  EXPECT_EQ(planned("userspace-lock", "held-briefly")->worker.text("lock-lasts", ""), "300ms");
}

TEST(UffdUnresolved, OnlyTheTwinIsAnsweredAgain) {
  EXPECT_FALSE(planned("uffd-unresolved", "unresolved")->worker.has("uffd-lasts"));
  EXPECT_EQ(planned("uffd-unresolved", "resolved-late")->worker.text("uffd-lasts", ""), "300ms");
}

TEST(ExecStuck, ServerIsStoppedAndInTheTwinGoesOn) {
  const auto stopped = planned("exec-stuck", "stopped");
  EXPECT_EQ(stopped->arming, Arming::stop_service);
  EXPECT_EQ(stopped->healed_after, 0U);
  EXPECT_EQ(stopped->ffs.text("writable", ""), "yes");
  EXPECT_EQ(planned("exec-stuck", "stopped-briefly")->healed_after, 300 * kMillisecond);
}

TEST(ControlVfork, ExpectsNothing) {
  EXPECT_EQ(planned("control-vfork", "")->expected_class, "none");
}

TEST(VictimParameters, ImpossibleOnesAreRefusedByName) {
  for (const char* id : {"userspace-lock", "uffd-unresolved", "exec-stuck", "control-vfork"})
    for (const char* word : {"threads=0", "threads=1001", "threads=few", "warmup=61m"}) {
      const auto plan = planned(id, "", {word});
      ASSERT_FALSE(plan) << id << ' ' << word;
      const std::string key = std::string(word).substr(0, std::string(word).find('='));
      EXPECT_NE(plan.error().what.find(key), std::string::npos) << plan.error().what;
    }
}

}  // namespace
}  // namespace stallproof
