// SPDX-License-Identifier: Apache-2.0
#include "harness/run/postmortem/postmortem.h"

#include "harness/run/postmortem/dead_node_fixture.h"
#include "harness/run/postmortem/killed_run.h"
#include "harness/run/postmortem/left_on_target.h"
#include "harness/store/verdict_read.h"

namespace stallproof {
namespace {

constexpr const char* kQuiet = "{\"t_ms\":12.0,\"event\":\"load_started\"}\n";
constexpr const char* kStanding =
    "{\"t_ms\":12.0,\"event\":\"load_started\"}\n"
    "{\"t_ms\":4000.5,\"event\":\"stall\",\"incident\":\"001\",\"onset_ms\":3000,\"detected_ms\":"
    "4000}\n{\"t_ms\":4100,\"event\":\"sta";
constexpr const char* kResolved =
    "{\"t_ms\":4000,\"event\":\"stall\",\"incident\":\"001\",\"onset_ms\":3000,\"detected_ms\":"
    "4000}\n{\"t_ms\":5000,\"event\":\"stall_resolved\",\"at_ms\":4900}\n";

constexpr const char* kLongOnes =
    "{\"t_ms\":4000,\"event\":\"stall\",\"incident\":\"001\",\"onset_ms\":3000,\"detected_ms\":"
    "4000,\"loads\":[\"slow\"]}\n{\"t_ms\":43000,\"event\":\"stall_resolved\",\"incident\":\"001\","
    "\"at_ms\":43000}\n";
// As repro wrote a stall before it was one event.
constexpr const char* kTwice =
    "{\"t_ms\":4000,\"event\":\"stall\",\"incident\":\"001\",\"onset_ms\":3000,\"detected_ms\":"
    "4000}\n"
    "{\"t_ms\":4000,\"event\":\"stall\",\"incident\":\"001\",\"onset_ms\":3000,\"detected_ms\":"
    "4000}\n"
    "{\"t_ms\":5000,\"event\":\"stall_resolved\",\"incident\":\"001\",\"at_ms\":4900}\n"
    "{\"t_ms\":5000,\"event\":\"stall_resolved\",\"at_ms\":4900}\n";

class PostmortemTest : public DeadNodeFixture {
 protected:
  ClosedRun close(const std::string& directory) {
    const MachineNow machine{.boot_id = kLiveBoot, .here = false};
    auto closed = close_run(look_at_unfinished(directory, machine), root_);
    EXPECT_TRUE(closed) << (closed ? "" : closed.error().what);
    return closed ? std::move(*closed) : ClosedRun{};
  }
  // Of a run that was killed on a node that lives.
  Verdict verdict_of_killed(const std::string& directory) {
    auto closed = close_run(look_at_unfinished(directory, {.boot_id = kLiveBoot}), root_);
    EXPECT_TRUE(closed) << (closed ? "" : closed.error().what);
    return closed ? std::move(closed->verdict) : Verdict{};
  }
  void put_file(const std::string& name, const std::string& text) const {
    put("var/lib/stallproof/runs/r-17/" + name, text);
  }
  // A kernel log that shows a hung task.
  static std::string log_of(const std::string& run) {
    return line_of(run, kDeadBoot) +
           "[  500.000001] INFO: task fio:123 blocked for more than 120 seconds.\n"
           "[  500.000002]       Not tainted 6.1.0-13-amd64 #1\n"
           "[  500.000003] task:fio             state:D stack:0     pid:123   ppid:1      "
           "flags:0x00000002\n"
           "[  500.000004] Call Trace:\n[  500.000005]  <TASK>\n"
           "[  500.000006]  __schedule+0x351/0xa20\n[  500.000007]  schedule+0x5d/0xe0\n"
           "[  500.000008]  </TASK>\n"
           "[  501.000000] Kernel panic - not syncing: hung_task: blocked tasks\n";
  }
};

TEST_F(PostmortemTest, WithoutADumpAndAStallItIsUnknown) {
  const std::string directory = put_run("r-17", kDeadBoot, kQuiet);
  const ClosedRun closed = close(directory);
  EXPECT_EQ(closed.verdict.outcome, Outcome::unknown);
  EXPECT_EQ(closed.verdict.exit_code, 3);
  ASSERT_FALSE(closed.verdict.reasons.empty());
  EXPECT_TRUE(closed.verdict.reasons[0].starts_with("node_died_no_vmcore"));
  const auto saved = read_verdict(directory + "/verdict.json");
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->labels.at("build"), "1.2");
  EXPECT_EQ(saved->run, "r-17");
}

TEST_F(PostmortemTest, AStallThatStoodWhenTheNodeDiedFails) {
  const ClosedRun closed = close(put_run("r-17", kDeadBoot, kStanding));
  EXPECT_EQ(closed.verdict.outcome, Outcome::fail);
  EXPECT_EQ(closed.verdict.exit_code, 1);
  ASSERT_EQ(closed.verdict.stalls.size(), 1U);
  EXPECT_EQ(closed.verdict.stalls[0].onset_ms, 3000);
  EXPECT_FALSE(closed.verdict.stalls[0].resolved_ms);
  EXPECT_DOUBLE_EQ(closed.verdict.duration_s, 4.0005);
}

TEST_F(PostmortemTest, AStallThatHadResolvedSoonDoesNotFail) {
  const ClosedRun closed = close(put_run("r-17", kDeadBoot, kResolved));
  EXPECT_EQ(closed.verdict.outcome, Outcome::unknown);
  ASSERT_EQ(closed.verdict.stalls.size(), 1U);
  EXPECT_FALSE(closed.verdict.stalls[0].failing);
}

TEST_F(PostmortemTest, ADumpThatFailedSaysSoAndItsLogIsKeptAndExplained) {
  const std::string directory = put_run("r-17", kDeadBoot, kQuiet);
  put("var/crash/202611261021/dump-incomplete", "x", 1100);
  put("var/crash/202611261021/dmesg.202611261021", log_of("r-17"), 1100);
  const ClosedRun closed = close(directory);
  EXPECT_TRUE(closed.verdict.reasons[0].starts_with("dump_failed: ")) << closed.verdict.reasons[0];
  EXPECT_EQ(closed.verdict.outcome, Outcome::unknown);
  const auto log = read_file(directory + "/postmortem/kernel-log.txt");
  ASSERT_TRUE(log);
  EXPECT_NE(log->find("Kernel panic"), std::string::npos);
  EXPECT_TRUE(read_file(directory + "/postmortem/explanation.json"));
}

TEST_F(PostmortemTest, ADumpIsNamedEvenWhereItCannotBeRead) {
  const std::string directory = put_run("r-17", kDeadBoot, kQuiet);
  put("var/crash/c/vmcore", "no image at all", 1100);
  put("var/crash/c/vmcore-dmesg.txt", log_of("r-17"), 1100);
  const ClosedRun closed = close(directory);
  EXPECT_TRUE(closed.verdict.reasons[0].starts_with("node_died, vmcore=" + root_))
      << closed.verdict.reasons[0];
  EXPECT_FALSE(closed.remains.notes.empty());
}

TEST_F(PostmortemTest, TwoRunsOfOneBootAreBothTiedToItsDump) {
  const std::string first = put_run("r-17", kDeadBoot, kQuiet);
  const std::string second = put_run("s-18", kDeadBoot, kStanding);
  put("var/crash/c/vmcore", "x", 1100);
  put("var/crash/c/vmcore-dmesg.txt", line_of("r-17", kDeadBoot), 1100);
  EXPECT_EQ(close(first).remains.crash.by, TiedBy::run_line);
  const ClosedRun other = close(second);
  EXPECT_EQ(other.remains.crash.by, TiedBy::boot_line);
  EXPECT_EQ(other.verdict.outcome, Outcome::fail);
}

TEST_F(PostmortemTest, AVerdictThatIsThereIsNeverOverwritten) {
  const std::string directory = put_run("r-17", kDeadBoot, kQuiet);
  const MachineNow machine{.boot_id = kLiveBoot, .here = false};
  const UnfinishedRun run = look_at_unfinished(directory, machine);
  put("var/lib/stallproof/runs/r-17/verdict.json", "theirs");
  const auto closed = close_run(run, root_);
  ASSERT_FALSE(closed);
  EXPECT_NE(closed.error().what.find("nothing was overwritten"), std::string::npos);
  EXPECT_EQ(*read_file(directory + "/verdict.json"), "theirs");
}

TEST_F(PostmortemTest, AKilledControllerOfALivingNodeIsNoDeadNode) {
  const std::string directory = put_run("r-17", kLiveBoot, kQuiet);
  put("var/crash/c/vmcore", "x", 1100);
  const UnfinishedRun run = look_at_unfinished(directory, {.boot_id = kLiveBoot});
  const auto closed = close_run(run, root_);
  ASSERT_TRUE(closed);
  EXPECT_TRUE(closed->verdict.reasons[0].starts_with("controller_died"));
  EXPECT_EQ(closed->remains.crash.by, TiedBy::nothing);
  EXPECT_EQ(closed->verdict.outcome, Outcome::unknown);
}

TEST_F(PostmortemTest, AStallThatStoodShortlyWhenOnlyTheControllerWasKilledIsUnknown) {
  const Verdict verdict = verdict_of_killed(put_run("r-17", kLiveBoot, kStanding));
  EXPECT_EQ(verdict.outcome, Outcome::unknown);
  EXPECT_EQ(verdict.exit_code, 3);
  ASSERT_EQ(verdict.stalls.size(), 1U);
  EXPECT_FALSE(verdict.stalls[0].failing);
  ASSERT_EQ(verdict.reasons.size(), 2U);
  EXPECT_NE(verdict.reasons[1].find("stood for 1.000 s when the run was killed"), std::string::npos)
      << verdict.reasons[1];
}

TEST_F(PostmortemTest, AStallThatHadStoodForFailAfterWhenTheControllerWasKilledFails) {
  const std::string directory = put_run("r-17", kLiveBoot, kStanding);
  put_file("series/loads.csv", "t_ms,load,ops,bytes,errors\n33000,slow,0,0,0\n");
  const Verdict verdict = verdict_of_killed(directory);
  EXPECT_EQ(verdict.outcome, Outcome::fail);
  EXPECT_NE(verdict.reasons[1].find("stood for 30.000 s"), std::string::npos) << verdict.reasons[1];
}

TEST_F(PostmortemTest, OfAWatchItsCountersTellHowLongTheStallHadStood) {
  const std::string directory = put_run("r-17", kLiveBoot, kStanding);
  put_file("series/seconds.csv", "t_ms,completed,in_flight\n32000.0,7,1\n33000.0,7,1\n99000.0");
  const Verdict verdict = verdict_of_killed(directory);
  EXPECT_EQ(verdict.outcome, Outcome::fail);
  EXPECT_DOUBLE_EQ(verdict.duration_s, 33);
}

TEST_F(PostmortemTest, AConfirmedCircleFailsHoweverShortItHadStood) {
  const std::string confirmed = "{\"t_ms\":4300,\"event\":\"cycle_confirmed\",\"incident\":\"";
  const std::string stands =
      std::string(kLongOnes).substr(0, std::string(kLongOnes).find('\n') + 1);
  EXPECT_EQ(verdict_of_killed(put_run("r-17", kLiveBoot, stands + confirmed + "001\"}\n")).outcome,
            Outcome::fail);
  EXPECT_EQ(verdict_of_killed(put_run("r-18", kLiveBoot, stands + confirmed + "002\"}\n")).outcome,
            Outcome::unknown);
}

TEST_F(PostmortemTest, AStallIsJudgedByTheThresholdsOfThePlan) {
  const std::string directory = put_run("r-17", kLiveBoot, kLongOnes);
  put_file("plan.toml",
           "[plan]\nname = \"x\"\ntarget = \"/mnt/x\"\n[thresholds]\nfail_after = \"120s\"\n"
           "[[process]]\n[[process.load]]\nname = \"slow\"\nworkload = \"direct-read\"\n");
  const Verdict verdict = verdict_of_killed(directory);
  EXPECT_EQ(verdict.fail_after_ms, 120'000);
  EXPECT_EQ(verdict.outcome, Outcome::unknown);
  EXPECT_EQ(verdict_of_killed(put_run("r-18", kLiveBoot, kLongOnes)).outcome, Outcome::fail);
}

TEST_F(PostmortemTest, AWatchWithoutThemInItsManifestIsJudgedByItsPlan) {
  const std::string directory = put_run("r-17", kLiveBoot, kLongOnes);
  put_file("plan.toml",
           "[watch]\ntarget = \"pid 7\"\nstall_after_ms = 2000\nfail_after_ms = 50000\n");
  const Verdict verdict = verdict_of_killed(directory);
  EXPECT_EQ(verdict.stall_after_ms, 2000);
  EXPECT_EQ(verdict.fail_after_ms, 50'000);
  EXPECT_EQ(verdict.outcome, Outcome::unknown);
}

TEST_F(PostmortemTest, TheThresholdsThatTheRunSavedAtItsStartGoBeforeItsPlan) {
  const auto with = [this](const char* id, double slow_ms) {
    RunThresholds thresholds{.usual = {.stall_after_ms = 1000, .fail_after_ms = 20'000},
                             .loads = {}};
    thresholds.loads["slow"] = {.stall_after_ms = 1000, .fail_after_ms = slow_ms};
    const std::string directory = put_run(id, kLiveBoot, kLongOnes, thresholds_json(thresholds));
    put_file("plan.toml", "[watch]\ntarget = \"pid 7\"\nfail_after_ms = 1000\n");
    return verdict_of_killed(directory);
  };
  EXPECT_EQ(with("r-17", 60'000).outcome, Outcome::unknown);
  const Verdict failed = with("r-18", 30'000);
  EXPECT_EQ(failed.outcome, Outcome::fail);
  EXPECT_EQ(failed.load_thresholds.at("slow").fail_after_ms, 30'000);
}

TEST_F(PostmortemTest, AStallThatAMarkAllowsFailsOnlyByOutlastingIt) {
  const auto with = [this](const char* id, int allow_ms) {
    const std::string mark =
        "{\"t_ms\":2500,\"event\":\"mark\",\"text\":\"failover\",\"at_ms\":2000,\"for_ms\":60000,"
        "\"allow_ms\":" +
        std::to_string(allow_ms) + "}\n";
    return verdict_of_killed(put_run(id, kLiveBoot, mark + kLongOnes));
  };
  const Verdict allowed = with("r-17", 45'000);
  EXPECT_EQ(allowed.outcome, Outcome::unknown);
  EXPECT_TRUE(allowed.stalls.at(0).marked);
  ASSERT_EQ(allowed.marks.size(), 1U);
  EXPECT_EQ(allowed.marks[0].end_ms, 62'000);
  EXPECT_EQ(with("r-18", 39'000).outcome, Outcome::fail);
}

TEST_F(PostmortemTest, AStallThatIsWrittenDownTwiceIsOneAndResolved) {
  const Verdict verdict = verdict_of_killed(put_run("r-17", kLiveBoot, kTwice));
  ASSERT_EQ(verdict.stalls.size(), 1U);
  EXPECT_EQ(verdict.stalls[0].resolved_ms, 4900);
  EXPECT_EQ(verdict.outcome, Outcome::unknown);
}

TEST_F(PostmortemTest, WhatTheLoadsHadDoneIsSummedFromTheSeries) {
  const std::string directory = put_run("r-17", kDeadBoot, kQuiet);
  put("var/lib/stallproof/runs/r-17/series/loads.csv",
      "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n"
      "1000,reader,10,40960,0,1,2,3,1,0\n2000,reader,20,81920,1,1,2,3,1,0\n2000,wri");
  const KilledRun killed = read_killed_run(directory);
  EXPECT_EQ(killed.workloads.at("reader").ops, 30U);
  EXPECT_EQ(killed.workloads.at("reader").errors, 1U);
  EXPECT_EQ(killed.last_ms, 2000);
}

TEST_F(PostmortemTest, PlanThatCannotBeReadIsToldWhereItMayHaveLeftSomething) {
  const std::string directory = put_run("r-17", kDeadBoot, kQuiet);
  const auto told = [&] { return remove_left_on_target(directory, "r-17", std::nullopt); };
  const std::string file = "var/lib/stallproof/runs/r-17/plan.toml";
  EXPECT_EQ(told().size(), 1U) << "no plan";
  put(file, "");
  EXPECT_EQ(told().size(), 1U) << "an empty one";
  put(file, "[plan]\nname = \"x\"\nduration = \"");
  ASSERT_EQ(told().size(), 1U) << "one that was cut";
  EXPECT_NE(told().front().find("not known"), std::string::npos) << told().front();
  put(file, "[watch]\ntarget = \"pid 7\"\n");
  EXPECT_TRUE(told().empty()) << "a watch leaves nothing";
}

}  // namespace
}  // namespace stallproof
