// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log_explanation.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/explain/render.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

using namespace fixture;

TEST(LogExplanation, ReportsAloneSayThatSomethingStands) {
  const ExplainedLog log = explain_kernel_log(
      "[ 1.2] watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [fio:77]\n", shipped());
  EXPECT_EQ(log.explanation.stall_class, "unknown");
  EXPECT_TRUE(log.problems.empty());
  EXPECT_TRUE(has(log.explanation.summary, "soft lockup"));
  const std::string page = render_text(log.explanation);
  EXPECT_TRUE(has(page, "  line 1: soft_lockup: soft lockup, fio 77, 26 s\n")) << page;
}

TEST(LogExplanation, ErrorsAloneAreNoStallAServerThatDoesNotAnswerIs) {
  EXPECT_EQ(explain_kernel_log("[ 1.2] I/O error, dev sda, sector 1\n", shipped())
                .explanation.stall_class,
            "none");
  EXPECT_EQ(explain_kernel_log("[ 1.2] nfs: server a not responding, still trying\n", shipped())
                .explanation.stall_class,
            "unknown");
}

TEST(LogExplanation, HealthyLogIsUnderstood) {
  const ExplainedLog log = explain_kernel_log("[ 1.2] eth0: link up\n", shipped());
  EXPECT_FALSE(log.nothing_known);
  EXPECT_TRUE(log.problems.empty());
  EXPECT_EQ(log.explanation.stall_class, "none");
  EXPECT_TRUE(explain_kernel_log("a letter\n", shipped()).nothing_known);
}

TEST(LogExplanation, RefusedSysrqIsToldInTheExplanation) {
  const ExplainedLog log =
      explain_kernel_log("[ 1.2] sysrq: This sysrq operation is disabled.\n", shipped());
  ASSERT_EQ(log.problems.size(), 1U);
  EXPECT_FALSE(log.nothing_known);
  EXPECT_TRUE(has(render_json(log.explanation), "sysrq was refused"));
}

TEST(LogExplanation, JsonHasTheKeysOfTheContract) {
  const ExplainedLog log = explain_kernel_log(
      "INFO: task java:22 blocked for more than 122 seconds.\n"
      "INFO: task java:22 <writer> blocked on an rw-semaphore likely owned by task x:21 <reader>\n"
      "rcu: INFO: rcu_sched self-detected stall on CPU\n",
      shipped());
  const auto json = nlohmann::json::parse(render_json(log.explanation));
  ASSERT_EQ(json["reports"].size(), 2U);
  const auto& hung = json["reports"][0];
  EXPECT_EQ(hung["kind"], "hung_task");
  EXPECT_EQ(hung["task"], "java");
  EXPECT_EQ(hung["pid"], 22);
  EXPECT_EQ(hung["seconds"], 122);
  EXPECT_TRUE(hung["function"].is_null());
  EXPECT_EQ(hung["title"], "task hung");
  EXPECT_EQ(hung["line"], 1);
  EXPECT_EQ(hung["owners"][0]["lock"], "rwsem");
  EXPECT_EQ(hung["owners"][0]["waits"], "write");
  EXPECT_EQ(hung["owners"][0]["pid"], 21);
  EXPECT_EQ(hung["owners"][0]["holds"], "read");
  for (const char* key : {"task", "pid", "seconds", "function"})
    EXPECT_TRUE(json["reports"][1][key].is_null()) << key;
}

TEST(LogExplanation, TaskThatOwnsWhatItWaitsForIsNoCycle) {
  const ExplainedLog log = explain_kernel_log(
      "INFO: task zsh:470 blocked for more than 122 seconds.\n"
      "task:zsh             state:D stack:0     pid:470   ppid:1      flags:0x00004002\n"
      " __mutex_lock.constprop.0+0x3b2/0x980\n"
      "INFO: task zsh:470 is blocked on a mutex likely owned by task zsh:470.\n",
      shipped());
  EXPECT_FALSE(log.explanation.cycle);
}

}  // namespace
}  // namespace stallproof
