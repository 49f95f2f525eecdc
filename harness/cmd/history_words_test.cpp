// SPDX-License-Identifier: Apache-2.0
// Documents are read by programs of others: each letter of them stays as it is.
#include "harness/cmd/history_words.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

HistoryRun run_named(const std::string& name) {
  HistoryRun run;
  run.run = name;
  run.directory = "/runs/" + name;
  run.state = "fail";
  run.reason = "stalled: \"x\"";
  run.build = "1.2";
  run.started = {.unix_ms = 1'780'509'665'000, .offset_min = 120};
  run.duration_s = 5400;
  run.exit_code = 1;
  run.stalls = 2;
  run.failing = 1;
  run.dropouts = 3;
  run.dropout_s = 7.25;
  return run;
}

TEST(HistoryWords, ListIsOneObjectALine) {
  ListDocument document(7);
  document.add(run_named("a"));
  HistoryRun unfinished = run_named("b");
  unfinished.exit_code.reset();
  document.add(unfinished);
  const std::string head = "{\n  \"schema\": 1,\n  \"all\": 7,\n  \"runs\": [\n    ";
  const std::string a =
      R"({"run": "a", "directory": "/runs/a", "verdict": "fail", "reason": "stalled: \"x\"", )"
      R"("exit_code": 1, "started": "2026-06-03 20:01:05 +02:00", )"
      R"("started_unix_ms": 1780509665000, "hours": 1.5, "build": "1.2", "node": "", )"
      R"("kernel": "", "tool_version": "", "scenario": "", "target": "", "fstype": "", )"
      R"("stalls": 2, "failing_stalls": 1, "dropouts": 3, "dropout_s": 7.25})";
  const std::string text = std::move(document).finish({});
  EXPECT_TRUE(text.starts_with(head + a + ",\n    {\"run\": \"b\", ")) << text;
  EXPECT_NE(text.find("\"exit_code\": null, "), std::string::npos);
  EXPECT_TRUE(text.ends_with("\"dropout_s\": 7.25}],\n  \"signatures\": []\n}\n")) << text;
}

TEST(HistoryWords, RunsThatMadeTheirStallAreMarkedAndExplained) {
  HistoryRuns found;
  found.runs = {run_named("a"), run_named("b")};
  found.all = 2;
  EXPECT_EQ(list_text(found, {}).find('*'), std::string::npos);
  found.runs[1].on_purpose = true;
  const std::string text = list_text(found, {});
  EXPECT_NE(text.find(" 2* "), std::string::npos) << text;
  EXPECT_NE(text.find("*: made on purpose by repro"), std::string::npos);
}

TEST(HistoryWords, NoRunIsAnEmptyList) {
  EXPECT_EQ(ListDocument(0).finish({}),
            "{\n  \"schema\": 1,\n  \"all\": 0,\n  \"runs\": [],\n  \"signatures\": []\n}\n");
}

TEST(HistoryWords, TableHasWordsQuotedAndFiguresAsTheyAre) {
  HistoryTable table;
  table.columns = {"run", "hours", "reader.p99_us"};
  table.texts = 1;
  for (const char* name : {"a", "b\"c"}) {
    table.add(std::string_view(name));
    table.add(1.0 / 3);
    table.add(std::string_view());
  }
  EXPECT_EQ(table_document(table),
            "{\n  \"schema\": 1,\n  \"runs\": [\n"
            "    {\"run\": \"a\", \"hours\": 0.333333, \"reader.p99_us\": null},\n"
            "    {\"run\": \"b\\\"c\", \"hours\": 0.333333, \"reader.p99_us\": null}]\n}\n");
  EXPECT_EQ(as_csv(table), "run,hours,reader.p99_us\na,0.333333,\n\"b\"\"c\",0.333333,\n");
}

}  // namespace
}  // namespace stallproof
