// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/gate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "harness/gate/gated_run_fixture.h"

namespace stallproof {
namespace {

using Runs = std::vector<GatedRun>;

const GateOptions kOptions{.today = "2026-11-26"};

GateReport judged(const Runs& runs, const GateOptions& options = kOptions,
                  const Runs& baseline = {}) {
  const auto report = judge_gate(runs, baseline, options);
  EXPECT_TRUE(report) << report.error().what;
  return report ? *report : GateReport{};
}

std::string problem_of(const Runs& runs, const Runs& baseline = {}) {
  const auto report = judge_gate(runs, baseline, kOptions);
  return report ? "" : report.error().what;
}

// The answer for one good run after `change`.
template <class Change>
GateReport changed(const Change& change, const GateOptions& options = kOptions) {
  GatedRun run = good_run("r1");
  change(*run.stored.verdict);
  return judged({run}, options);
}

std::string first_doubt(const GateReport& report) {
  return report.doubts.empty() ? "" : report.doubts[0].what;
}

TEST(Gate, CleanRunsPassAndSayWhatZeroMeans) {
  const GateReport report = judged({good_run("r1"), good_run("r2", "vm8")});
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(gate_sentence(report),
            "PASS build 3.2.1-rc4: 0 failing stalls in 20 node-hours on 2 nodes, at most 0.15 per "
            "node-hour (95 %); canary seen");
}

TEST(Gate, AFailingStallFails) {
  const GateReport report = judged({good_run("r1"), stalled_run("r2")});
  EXPECT_EQ(report.exit_code, 1);
  EXPECT_EQ(gate_sentence(report),
            "FAIL build 3.2.1-rc4: 1 failing stall in 20 node-hours on 1 node, at most 0.24 per "
            "node-hour (95 %); canary seen");
}

TEST(Gate, AStallThatResolvedInTimeDoesNotFail) {
  const GateReport report =
      changed([](Verdict& verdict) { verdict.stalls.push_back({.id = "001", .resolved_ms = 1}); });
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(report.resolved_stalls, 1U);
}

TEST(Gate, AnExpectedStallOfAReproductionFailsItToo) {
  GatedRun run = stalled_run("r1");
  run.stored.verdict->outcome = Outcome::pass;
  run.stored.verdict->reasons = {"reproduced and explained"};
  EXPECT_EQ(judged({run}).exit_code, 1);
}

TEST(Gate, UnfinishedDamagedAndUnknownRunsAreNeverGreen) {
  GatedRun unfinished = good_run("r1");
  unfinished.stored.verdict.reset();
  EXPECT_EQ(judged({good_run("r2"), unfinished}).exit_code, 3);
  EXPECT_NE(first_doubt(judged({unfinished})).find("unfinished"), std::string::npos);
  GatedRun damaged = unfinished;
  damaged.damage = "verdict.json: cut";
  EXPECT_EQ(first_doubt(judged({damaged})), "verdict.json: cut");
  const GateReport unknown = changed([](Verdict& verdict) {
    verdict.outcome = Outcome::unknown;
    verdict.reasons = {"interrupted"};
  });
  EXPECT_EQ(unknown.exit_code, 3);
  EXPECT_EQ(first_doubt(unknown), "its verdict is unknown: interrupted");
  EXPECT_EQ(unknown.node_hours, 0) << "its time proves nothing";
}

TEST(Gate, AFailureIsWorthMoreThanADoubt) {
  GatedRun unfinished = good_run("r1");
  unfinished.stored.verdict.reset();
  EXPECT_EQ(judged({unfinished, stalled_run("r2")}).exit_code, 1);
}

TEST(Gate, ABlindWatchdogIsNeverGreen) {
  const std::vector<std::function<void(ObserverEntry&)>> losses{
      [](ObserverEntry& observer) { observer.gaps = 1; },
      [](ObserverEntry& observer) { observer.scan_failures = 1; },
      [](ObserverEntry& observer) { observer.kmsg_lost = 1; },
      [](ObserverEntry& observer) { observer.probe_timeouts = 1; },
      [](ObserverEntry& observer) { observer.events_dropped = 1; },
      [](ObserverEntry& observer) { observer.lens.clear(); }};
  for (const auto& lose : losses)
    EXPECT_EQ(changed([&lose](Verdict& verdict) { lose(verdict.observer); }).exit_code, 3);
}

TEST(Gate, ACanaryIsRequiredUnlessItIsWaived) {
  const auto without = [](Verdict& verdict) { verdict.observer.canary.reset(); };
  EXPECT_EQ(changed(without).exit_code, 3);
  GateOptions waived = kOptions;
  waived.no_canary = true;
  const GateReport report = changed(without, waived);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_TRUE(gate_sentence(report).ends_with("; no canary")) << gate_sentence(report);
}

TEST(Gate, WhatToDoAboutAMissingCanaryIsWhatCanBeDone) {
  const auto run = [](Verdict& verdict) { verdict.observer.canary.reset(); };
  EXPECT_NE(first_doubt(changed(run)).find("run it with --canary yes"), std::string::npos);
  EXPECT_NE(first_doubt(changed(run)).find("--no-canary"), std::string::npos);
  const auto scenario = [](Verdict& verdict) {
    verdict.observer.canary.reset();
    verdict.scenario = "mmap-lock-fault";
  };
  EXPECT_TRUE(first_doubt(changed(scenario)).ends_with("(accept it by --no-canary)"));
}

TEST(Gate, ACanaryThatWasMissedIsNeverWaived) {
  GateOptions waived = kOptions;
  waived.no_canary = true;
  const GateReport report =
      changed([](Verdict& verdict) { verdict.observer.canary = CanaryEntry{}; }, waived);
  EXPECT_EQ(report.exit_code, 3);
  EXPECT_NE(first_doubt(report).find("canary did not pass"), std::string::npos);
}

TEST(Gate, ALoadThatDidNothingIsNeverGreen) {
  EXPECT_EQ(first_doubt(changed([](Verdict& verdict) { verdict.workloads["maps"].ops = 0; })),
            "maps did 0 operations, at least 1 are wanted");
  EXPECT_EQ(changed([](Verdict& verdict) { verdict.workloads.clear(); }).exit_code, 3);
}

TEST(Gate, ThePlanMayWantMoreWork) {
  EXPECT_EQ(changed([](Verdict& verdict) { verdict.min_ops = 500; }).exit_code, 0);
  EXPECT_EQ(first_doubt(changed([](Verdict& verdict) { verdict.min_ops = 501; })),
            "maps did 500 operations, at least 501 are wanted");
  EXPECT_EQ(changed([](Verdict& verdict) {
              verdict.min_ops = 501;
              verdict.load_thresholds["maps"].min_ops = 10;
            }).exit_code,
            0);
}

TEST(Gate, WorkOfAForeignLoadIsJudgedByItsOwnVerdict) {
  const auto foreign = [](Verdict& verdict) {
    verdict.settings["watch"] = "pid 7";
    verdict.workloads["maps"].ops = 0;
  };
  EXPECT_EQ(changed(foreign).exit_code, 0);
}

TEST(Gate, AHazardThatWasNeverEnteredProvesNothing) {
  EXPECT_EQ(changed([](Verdict& verdict) { verdict.hazard = HazardEntry{}; }).exit_code, 3);
  EXPECT_EQ(changed([](Verdict& verdict) { verdict.hazard = HazardEntry{.entered = 1}; }).exit_code,
            0);
}

GateOptions knowing(const std::string& until) {
  GateOptions options = kOptions;
  options.known = {{kSignature, "JIRA-1", until}};
  return options;
}

TEST(Gate, AKnownStallIsToldAndDoesNotFail) {
  const GateReport report = judged({stalled_run("r1")}, knowing("2026-11-26"));
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(gate_sentence(report),
            "PASS build 3.2.1-rc4: 0 failing stalls in 10 node-hours on 1 node, at most 0.3 per "
            "node-hour (95 %); 1 known stall; canary seen");
}

TEST(Gate, AnExpiredEntryCoversNothingAndIsNamed) {
  const GateReport report = judged({stalled_run("r1")}, knowing("2026-11-25"));
  EXPECT_EQ(report.exit_code, 1);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].what.find("ended on 2026-11-25"), std::string::npos);
}

TEST(Gate, AnUnusedEntryIsNamed) {
  const GateReport report = judged({good_run("r1")}, knowing("2027-01-01"));
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_NE(report.notes.at(0).what.find("was not seen"), std::string::npos);
}

TEST(Gate, AKnownStallNeverCoversWrongDataOrAnotherFailure) {
  GatedRun corrupt = stalled_run("r1");
  corrupt.stored.verdict->workloads["direct"].mismatches = 1;
  EXPECT_EQ(judged({corrupt}, knowing("2027-01-01")).exit_code, 1);
  GatedRun failed = stalled_run("r1");
  failed.stored.verdict->reasons.push_back("3 operations of direct failed");
  const GateReport report = judged({failed}, knowing("2027-01-01"));
  EXPECT_EQ(report.exit_code, 1);
  EXPECT_EQ(report.failures.at(0).what, "3 operations of direct failed");
}

TEST(Gate, AKnownStallNeverCoversABlindWatchdog) {
  GatedRun blind = stalled_run("r1");
  blind.stored.verdict->observer.gaps = 1;
  EXPECT_EQ(judged({blind}, knowing("2027-01-01")).exit_code, 3);
}

TEST(Gate, AFailedRunThatDoesNotSayWhyFails) {
  EXPECT_EQ(changed([](Verdict& verdict) {
              verdict.outcome = Outcome::fail;
              verdict.reasons.clear();
            }).exit_code,
            1);
}

TEST(Gate, TooFewHoursAreUnknown) {
  GateOptions options = kOptions;
  options.min_hours = 20;
  EXPECT_EQ(judged({good_run("r1")}, options).exit_code, 3);
  EXPECT_EQ(judged({good_run("r1"), good_run("r2")}, options).exit_code, 0);
}

TEST(Gate, TheSameRunTwiceIsRefused) {
  EXPECT_NE(problem_of({good_run("r1"), good_run("r1")}).find("the same run twice: r1"),
            std::string::npos);
  EXPECT_NE(problem_of({good_run("r1")}, {good_run("r1")}).find("the same run twice"),
            std::string::npos);
}

TEST(Gate, MixedBuildsAreNamed) {
  GatedRun other = good_run("r2");
  other.stored.verdict->labels["build"] = "3.2.2";
  EXPECT_EQ(problem_of({good_run("r1"), other}),
            "gate: the runs mix builds: build 3.2.1-rc4 (r1) and build 3.2.2 (r2) (one answer is "
            "about one build; label runs with --label build=NAME)");
  other.stored.verdict->labels.clear();
  EXPECT_NE(problem_of({good_run("r1"), other}).find("no build label (r2)"), std::string::npos);
}

TEST(Gate, HostileLabelsKeepToTheirLine) {
  GatedRun run = good_run("r1");
  run.stored.verdict->labels["build"] = "x\nPASS\x1b[31m\xe2\x80\xae";
  const std::string sentence = gate_sentence(judged({run}));
  EXPECT_EQ(sentence.find('\n'), std::string::npos);
  EXPECT_EQ(sentence.find('\x1b'), std::string::npos);
  EXPECT_EQ(sentence.find("\xe2\x80\xae"), std::string::npos);
}

// Five runs with the throughput of `direct` around `rate`.
Runs five(const std::string& stem, double rate, const std::string& build) {
  Runs runs;
  for (int i = 0; i < 5; ++i) {
    GatedRun run = good_run(stem + std::to_string(i));
    run.stored.verdict->labels["build"] = build;
    run.stored.verdict->started = fmt::format("2026-11-26T08:{:02}:26+00:00", i * 7 % 5);
    run.rates = {{"direct", rate + i}, {"maps", 100 + 0.1 * i}};
    runs.push_back(std::move(run));
  }
  return runs;
}

TEST(Gate, ASlowerBuildFails) {
  const GateReport report = judged(five("a", 950, "new"), kOptions, five("b", 1000, "old"));
  EXPECT_EQ(report.exit_code, 1);
  EXPECT_NE(gate_sentence(report).find("; regression: direct throughput -5.0 % (p 0.0079)"),
            std::string::npos)
      << gate_sentence(report);
}

TEST(Gate, TheSameSpeedPasses) {
  const GateReport report = judged(five("a", 1000, "new"), kOptions, five("b", 1000, "old"));
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_NE(gate_sentence(report).find("; no regression in 4 metrics against old"),
            std::string::npos)
      << gate_sentence(report);
}

TEST(Gate, TooFewRunsToCompareAreUnknownAndNoPass) {
  Runs four = five("b", 1000, "old");
  four.pop_back();
  EXPECT_EQ(judged(five("a", 1000, "new"), kOptions, four).exit_code, 3);
}

TEST(Gate, WhatWasNotComparedIsNotToldAsNoRegression) {
  Runs one{five("a", 1000, "new")[0]}, other{five("b", 1000, "old")[0]};
  const std::string sentence = gate_sentence(judged(one, kOptions, other));
  EXPECT_NE(sentence.find("; speed could not be compared: too few runs (1 of the 5 needed a side, "
                          "and 1 of the baseline); "),
            std::string::npos)
      << sentence;
  EXPECT_EQ(sentence.find("regression"), std::string::npos) << sentence;
  EXPECT_EQ(sentence.find("noisy"), std::string::npos) << sentence;
}

TEST(Gate, ALoadThatDidNothingLeavesTheOthersCompared) {
  Runs before = five("b", 1000, "old"), after = five("a", 1000, "new");
  before[0].rates["maps"] = 0;
  const std::string sentence = gate_sentence(judged(after, kOptions, before));
  EXPECT_NE(sentence.find("; no regression in 3 of 4 metrics against old;"), std::string::npos)
      << sentence;
}

TEST(Gate, ABaselineOfSomethingElseIsRefusedByName) {
  Runs baseline = five("b", 1000, "old");
  for (GatedRun& run : baseline) run.stored.plan = "[plan]\nsize = \"1GiB\"\n";
  EXPECT_NE(problem_of(five("a", 1000, "new"), baseline).find("plan: plan.size: nothing, not"),
            std::string::npos);
  baseline = five("b", 1000, "old");
  for (GatedRun& run : baseline) run.stored.verdict->node = "vm9";
  EXPECT_EQ(problem_of(five("a", 1000, "new"), baseline),
            "gate: the baseline ran on another machine: vm9, not vm7");
  baseline = five("b", 1000, "old");
  baseline[3].stored.verdict->target_fstype = "xfs";
  EXPECT_NE(problem_of(five("a", 1000, "new"), baseline).find("'xfs', not 'ext4'"),
            std::string::npos);
}

TEST(Gate, AnUnknownRunOfTheBaselineIsADoubt) {
  Runs baseline = five("b", 1000, "old");
  baseline[0].stored.verdict->outcome = Outcome::unknown;
  EXPECT_EQ(judged(five("a", 1000, "new"), kOptions, baseline).exit_code, 3);
}

TEST(Gate, ARunWithoutItsSeriesCannotBeCompared) {
  Runs runs = five("a", 1000, "new");
  runs[2].rates.clear();
  EXPECT_EQ(judged(runs, kOptions, five("b", 1000, "old")).exit_code, 3);
}

TEST(Gate, RunsThatWereNotInterleavedAreToldSo) {
  Runs later = five("a", 1000, "new");
  for (GatedRun& run : later) run.stored.verdict->started = "2026-11-27T01:00:00+00:00";
  const GateReport report = judged(later, kOptions, five("b", 1000, "old"));
  EXPECT_NE(report.notes.at(0).what.find("not interleaved"), std::string::npos);
  EXPECT_TRUE(judged(five("a", 1000, "new"), kOptions, five("b", 1000, "old")).notes.empty());
}

}  // namespace
}  // namespace stallproof
