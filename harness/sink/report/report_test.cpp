// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/units.h"
#include "harness/sink/report/testing/made_run.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

using namespace testing_report;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string page_of(const MadeRun& run, bool with_script = false) {
  const auto contents = read_contents(run.path());
  EXPECT_TRUE(contents) << contents.error().what;
  return contents ? html_report(*contents, with_script) : std::string();
}

TEST(Report, TellsTheStallWithGraphStacksEvidenceAndCommands) {
  const MadeRun run;
  put_stalled_run(run);
  put_series(run, 2, 20);
  const std::string page = page_of(run);
  for (const char* part : {"<span class=\"badge fail\">fail</span>",
                           "stalled: mmap_lock_cycle",
                           "Incident 001",
                           "A circle of waits: fault/0 101",
                           ">dataio_srv/0 201<",
                           ">mprotect/0 102<",
                           "held for read by",
                           "Its queue, in order (2)",
                           "class=\"wg-circle\"",
                           "request_wait_answer",
                           "incidents/001/stacks.txt",
                           "io full 80 %",
                           "stallproof explain ",
                           "/plan.toml",
                           "echo 1 &gt; /sys/fs/fuse/connections/39/abort",
                           "failover, planned",
                           "1 file taken in",
                           "Latency heat map of load-1",
                           "Last completion 03:10:10.0",
                           "BPF iterators"})
    EXPECT_TRUE(has(page, part)) << part;
}

TEST(Report, LoadsNothingFromAnywhere) {
  const MadeRun run;
  put_stalled_run(run);
  put_series(run, 1, 20);
  const std::string page = page_of(run, true);
  for (const char* part : {"src=", "@import", "url(", "<img", "<iframe"})
    EXPECT_FALSE(has(page, part)) << part;
  EXPECT_EQ(page.find("<link"), page.rfind("<link rel=\"icon\" href=\"data:,\">"));
  EXPECT_TRUE(has(page, "content=\"default-src 'none'; img-src 'self' data:"));
}

TEST(Report, WithoutScriptHasNone) {
  const MadeRun run;
  put_stalled_run(run);
  put_series(run, 1, 20);
  EXPECT_FALSE(has(page_of(run), "<script"));
  EXPECT_FALSE(has(page_of(run), "script-src"));
}

TEST(Report, ALongRunIsASmallPage) {
  const MadeRun run;
  run.put("verdict.json", verdict_json(quiet_verdict(3600)));
  put_series(run, 5, 3600);
  EXPECT_LT(page_of(run).size(), 300'000U);
}

TEST(Report, IsWrittenIntoTheRunDirectory) {
  const MadeRun run;
  put_stalled_run(run);
  ASSERT_TRUE(write_report(run.path()));
  const std::string page = *read_file(run.path() + "/report.html");
  EXPECT_TRUE(has(page, "</html>"));
  EXPECT_TRUE(has(page, "<a href=\"incidents/001/stacks.txt\">"));
  EXPECT_FALSE(has(page_of(run), "<a href=\"incidents/"));
  EXPECT_FALSE(write_report(run.path() + "/series"));
}

TEST(Report, LongStacksAreCutInMarkdownAndJson) {
  const MadeRun run;
  put_stalled_run(run);
  auto contents = read_contents(run.path());
  ASSERT_TRUE(contents);
  auto& stack = contents->incidents[0].stored.explanation->nodes[0].stack;
  for (int frame = 0; frame < 60; ++frame) stack.push_back("frame_" + std::to_string(frame));
  for (const std::string& form : {markdown_report(*contents), json_report(*contents)}) {
    EXPECT_TRUE(has(form, "frame_37"));
    EXPECT_FALSE(has(form, "frame_38"));
  }
}

TEST(Report, MarkdownAndJsonTellTheSame) {
  const MadeRun run;
  put_stalled_run(run);
  put_series(run, 1, 20);
  const auto contents = read_contents(run.path());
  ASSERT_TRUE(contents);
  const std::string text = markdown_report(*contents);
  for (const char* part :
       {"# fail: 20261126-031000.000-made-1", "### Incident 001",
        "1. **fault/0 101** waits for: READ request 7", "the circle is closed", "| load-0 | 1000 |",
        "- queued writer: mprotect/0 102\n- queued reader: dataio_srv/0 201\n",
        "fault/0 101 (D)\n  request_wait_answer\n", "- `incidents/001/stacks.txt` 16 B",
        "- pressure: io full 80 %", "```\nstallproof run ", "\nstallproof explain ",
        "2 dropouts, 5.5 s together.", "| load-0 | 03:10:02.0 (+2.0 s) | 2.5 s | 4.0 |",
        "Thresholds: a stall after 1.0 s, failing after 30", "| mark | failover, planned |",
        "- Node: node7", "- Sight: BPF iterators", "- Canary: passed: fuse-server-hung",
        "name = \"made\""})
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  const auto json = nlohmann::json::parse(json_report(*contents));
  const auto& told = json["incidents"][0]["explanation"];
  EXPECT_EQ(told, nlohmann::json::parse(*read_file(run.path() + "/incidents/001/"
                                                                "explanation.json")));
  EXPECT_EQ(json["incidents"][0]["commands"].size(), 2U);
  EXPECT_EQ(json["incidents"][0]["support"][0]["what"], "io full 80 %");
  const auto verdict = nlohmann::json::parse(*read_file(run.path() + "/verdict.json"));
  for (const char* key : {"node", "kernel", "target", "thresholds", "dropouts", "observer"})
    EXPECT_EQ(json[key], verdict[key]) << key;
  EXPECT_EQ(json["environment"]["cpus"], 2);
  EXPECT_EQ(json["verdict"], "fail");
  EXPECT_EQ(json["incidents"][0]["signature"],
            "mmap_lock_cycle:fault_read>mprotect_write>service_read");
  EXPECT_EQ(json["windows"].size(), 3U);
  EXPECT_TRUE(json["problems"].empty()) << json["problems"];
}

RunContents of_verdict(const Verdict& verdict) {
  RunContents contents;
  contents.run.verdict = verdict;
  return contents;
}

TEST(ZeroMeaning, IsThePoissonBoundOfTheHoursWatched) {
  Verdict verdict = quiet_verdict(36000);
  EXPECT_EQ(zero_meaning(of_verdict(verdict)).headline,
            "No failing stall in 10.0 h: at most 0.3 per hour, one in 3.3 h (95 % confidence).");
  verdict.observer.gaps = 1;
  verdict.observer.gaps_ms = 18'000'000;
  EXPECT_TRUE(has(zero_meaning(of_verdict(verdict)).headline, "in 5.0 h: at most 0.599 per hour"));
  verdict.stalls.push_back({.id = "001", .failing = true});
  EXPECT_TRUE(has(zero_meaning(of_verdict(verdict)).headline, "1 failing stall in 5.0 h"));
}

TEST(ZeroMeaning, ProvesNothingWhereNothingDangerousHappened) {
  Verdict verdict = quiet_verdict(3600);
  verdict.hazard = HazardEntry{};
  EXPECT_TRUE(has(zero_meaning(of_verdict(verdict)).detail, "hazard was never entered"));
  verdict.outcome = Outcome::unknown;
  EXPECT_TRUE(has(zero_meaning(of_verdict(verdict)).detail, "unknown is never green"));
  verdict.scenario = "mmap-lock-fault";
  verdict.stalls.push_back({.id = "001"});
  EXPECT_EQ(zero_meaning(of_verdict(verdict)).headline,
            "The stall was provoked: no rate follows from it.");
}

Verdict repro_verdict() {
  Verdict verdict = quiet_verdict(5);
  verdict.scenario = "mmap-lock-fault";
  verdict.fail_after_ms = verdict.stall_after_ms;
  return verdict;
}

TEST(RerunCommand, IsWhatWasRun) {
  Verdict verdict = repro_verdict();
  verdict.settings = {{"variant", "read-error"},
                      {"fix", "no-writer"},
                      {"expect", "none"},
                      {"hold", "no"},
                      {"seed", "1"},
                      {"odd", "a b'c"}};
  EXPECT_EQ(rerun_command(of_verdict(verdict)),
            "stallproof repro mmap-lock-fault --variant read-error --fix no-writer --param "
            "'odd=a b'\\''c' --param seed=1");
  verdict.settings["odd"] = "a\nb";
  EXPECT_EQ(rerun_command(of_verdict(verdict)), "");
  RunContents plain = of_verdict(quiet_verdict(5));
  EXPECT_EQ(rerun_command(plain), "");
  plain.run.directory = "/srv/r";
  plain.run.plan = "[plan]\n";
  EXPECT_EQ(rerun_command(plain), "stallproof run /srv/r/plan.toml");
  plain.run.plan = "no plan";
  EXPECT_EQ(rerun_command(plain), "");
}

TEST(RerunCommand, OfAReproHasItsExpectationDeadlineAndThresholds) {
  Verdict verdict = repro_verdict();
  verdict.settings = {{"expect", "quiet"}, {"deadline", "90s"}, {"hold", "yes"}};
  EXPECT_EQ(rerun_command(of_verdict(verdict)),
            "stallproof repro mmap-lock-fault --expect quiet --deadline 90s --hold");
  verdict.settings.clear();
  verdict.stall_after_ms = verdict.fail_after_ms = 10000;
  EXPECT_EQ(rerun_command(of_verdict(verdict)),
            "stallproof repro mmap-lock-fault --stall-after 10s");
  verdict.stall_after_ms = 1500;
  verdict.dropout_below = 0.25;
  EXPECT_EQ(rerun_command(of_verdict(verdict)),
            "stallproof repro mmap-lock-fault --stall-after 1500ms --fail-after 10s "
            "--dropout-below 0.25");
}

// They wrote it for people.
TEST(RerunCommand, UnderstandsTheDeadlinesOfEarlierVersions) {
  Verdict verdict = repro_verdict();
  const std::string command = "stallproof repro mmap-lock-fault";
  for (const auto& [told, word] :
       {std::pair{"1.0 min", "1.0m"}, {"30.000 s", "30.000s"}, {"500.0 ms", "500.0ms"}}) {
    verdict.settings["deadline"] = told;
    EXPECT_EQ(rerun_command(of_verdict(verdict)), command + " --deadline " + word);
    EXPECT_TRUE(parse_duration(word)) << word;
  }
  verdict.settings["deadline"] = "soon";
  EXPECT_EQ(rerun_command(of_verdict(verdict)), command);
}

TEST(RerunCommand, OfARunUntilAStallEndsWhereThatOneWouldHave) {
  RunContents contents = of_verdict(quiet_verdict(5));
  contents.run.directory = "/srv/r";
  contents.run.plan = "[plan]\nduration = \"90s\"\n";
  contents.run.verdict->settings = {{"until_stall", "yes"}, {"endless", "no"}};
  EXPECT_EQ(rerun_command(contents),
            "stallproof run /srv/r/plan.toml --until-stall --duration 90s");
  contents.run.verdict->settings["endless"] = "yes";
  EXPECT_EQ(rerun_command(contents), "stallproof run /srv/r/plan.toml --until-stall");
}

std::string rerun_of_plan(const std::string& plan) {
  RunContents contents = of_verdict(quiet_verdict(5));
  contents.run.directory = "/srv/r";
  contents.run.plan = plan;
  return rerun_command(contents);
}

TEST(RerunCommand, OfVdbenchsFilesIsVdbenchsCommandLine) {
  EXPECT_EQ(rerun_of_plan("[vdbench]\ncommand = \"vdbench\"\nfiles = [\"/p/a.parm\", \"/p/b\"]\n"
                          "values = [\"lun=/mnt/a b\"]\nengine = \"io_uring\"\njvm = false\n"
                          "options = [\"-vr\", \"-e\", \"60\", \"+iorate=max\"]\n"),
            "stallproof vdbench -f /p/a.parm /p/b --engine io_uring --no-jvm 'lun=/mnt/a b' -vr -e "
            "60 +iorate=max");
  EXPECT_EQ(rerun_of_plan("[vdbench]\ncommand = \"run\"\ndirectory = \"/w $x\"\n"
                          "files = [\"a\"]\nvalues = []\nengine = \"psync\"\njvm = true\n"
                          "options = [\"--fail-after\", \"5s\"]\n"),
            "cd '/w $x' && stallproof run a --fail-after 5s");
  EXPECT_EQ(rerun_of_plan("[vdbench]\ncommand = \"rm\"\nfiles = [\"-rf\"]\n"), "");
  EXPECT_EQ(rerun_of_plan("[vdbench]\ncommand = \"run\"\nfiles = 5\n"), "");
}

// `run` would refuse their plan.
TEST(RerunCommand, OfAWatchIsAWatchOrNothing) {
  const std::string times = "stall_after_ms = 1500\nfail_after_ms = 30000\n";
  EXPECT_EQ(rerun_of_plan("[watch]\ntarget = \"process 7 (x)\"\n" + times), "");
  EXPECT_EQ(rerun_of_plan("[watch]\ntarget = \"x\"\ndirectory = \"/w\"\ncommand = [\"./x\", "
                          "\"a'b\", \"$(c)\"]\n" +
                          times),
            "cd /w && stallproof watch --stall-after 1500ms --fail-after 30s -- ./x 'a'\\''b' "
            "'$(c)'");
  EXPECT_EQ(rerun_of_plan("[watch]\nmount = \"/mnt/x\"\nduration_ms = 90000\n" + times),
            "stallproof watch --stall-after 1500ms --fail-after 30s --duration 90s --mount /mnt/x");
  EXPECT_EQ(rerun_of_plan("[watch]\ncgroup = \"a/b\"\n"), "stallproof watch --cgroup a/b");
  RunContents careful = of_verdict(quiet_verdict(5));
  careful.run.verdict->dropout_below = 0.5;
  careful.run.plan = "[watch]\ncgroup = \"a/b\"\n";
  EXPECT_EQ(rerun_command(careful), "stallproof watch --dropout-below 0.5 --cgroup a/b");
  EXPECT_EQ(rerun_of_plan("[watch]\ncommand = [\"x\"]\ncanary = \"try\"\n"),
            "stallproof watch --canary try -- x");
  EXPECT_EQ(rerun_of_plan("[watch]\ncgroup = \"a\\u001b[2J\"\n"), "");
  EXPECT_EQ(rerun_of_plan("[watch]\ncommand = [\"sh\", \"-c\", \"a\\nb\"]\n"), "");
}

}  // namespace
}  // namespace stallproof
