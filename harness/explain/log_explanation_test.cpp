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

TEST(LogExplanation, FaultOfEveryArchitectureWaitsForMmapLock) {
  const std::string head =
      "INFO: task java:31 blocked for more than 120 seconds.\n"
      "java            D    0    31     30 0x00000000\n";
  for (const char* frames :
       {"[<8079ef70>] (__schedule) from [<8079f5d8>] (schedule+0x50/0xa8)\n"  // arm
        "[<8079f5d8>] (schedule) from [<807a26d8>] (rwsem_down_read_failed+0x10c/0x15c)\n"
        "[<807a26d8>] (rwsem_down_read_failed) from [<807a1d6c>] (down_read+0x5c/0x60)\n"
        "[<807a1d6c>] (down_read) from [<807a5418>] (do_page_fault+0xfc/0x3a4)\n",
        "Call trace:\n schedule+0x44/0xd4\n rwsem_down_read_slowpath+0x194/0x41c\n"  // arm64
        " down_read+0xa0/0xb0\n do_page_fault+0x1b4/0x4b0\n",
        "Call Trace:\n"  // powerpc
        "[c0000000071ab8d0] [c000000000f3aa64] schedule+0x64/0xe0\n"
        "[c0000000071ab910] [c000000000f3c1a0] rwsem_down_read_slowpath+0x1a0/0x4f0\n"
        "[c0000000071ab9a0] [c000000000078d4c] ___do_page_fault+0x40c/0x950\n",
        "Call Trace:\n [<01>] schedule+0x6e/0xf8\n"  // s390
        " [<02>] rwsem_down_read_slowpath+0x2aa/0x590\n [<03>] do_exception+0x1a6/0x4c0\n"})
    EXPECT_EQ(explain_kernel_log(head + frames, shipped()).explanation.signature,
              "mmap_lock_held:unknown>fault_read")
        << frames;
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
