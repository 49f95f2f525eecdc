// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/merge_save.h"

#include <gtest/gtest.h>

#include "harness/base/file.h"
#include "harness/merge/node_list.h"
#include "harness/merge/testing/made_fleet.h"
#include "harness/store/run_read.h"

namespace stallproof {
namespace {

constexpr const char* kSeries =
    "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n"
    "1000,direct,10,0,0,,,,0,0\n2000,direct,12,0,0,,,,0,0\n";

struct Saved {
  std::string directory;
  SavedMerge merge;
  Merged merged;
};

Saved save(const MadeFleet& fleet, const std::vector<std::string>& nodes, const std::string& list) {
  std::vector<std::string> directories;
  for (const std::string& node : nodes) directories.push_back(fleet.path(node));
  auto merged = merge_nodes(read_node_results(directories, {}),
                            {.expected = *parse_node_list(list, "--expect-nodes")});
  EXPECT_TRUE(merged);
  auto place = RunDir::create({.out = fleet.path("merged"), .name_stem = "merge", .labels = {}});
  EXPECT_TRUE(place);
  SavedMerge saved = save_merge(*merged, list, *place);
  EXPECT_EQ(place->first_problem(), "");
  return {place->path(), std::move(saved), std::move(*merged)};
}

TEST(MergeSave, TheDirectoryIsARunThatOtherCommandsRead) {
  const MadeFleet fleet;
  for (const char* node : {"n1", "n2"}) {
    fleet.put_node(node, [](Verdict& verdict) { add_stall(verdict, 1500); });
    fleet.put(std::string(node) + "/series/loads.csv", kSeries);
  }
  const Saved saved = save(fleet, {"n1", "n2"}, "n[1-2]");
  const auto run = read_run(saved.directory);
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_TRUE(run->problems.empty());
  EXPECT_EQ(run->verdict->outcome, Outcome::fail);
  ASSERT_EQ(run->incidents.size(), 2U);
  EXPECT_EQ(run->incidents[0].id, "001");
  EXPECT_EQ(run->incidents[0].loads, (std::vector<std::string>{"direct"}));
  ASSERT_TRUE(run->incidents[0].explanation);
  EXPECT_NE(run->plan.find("duration"), std::string::npos);
  EXPECT_TRUE(read_file(saved.directory + "/report.html"));
  EXPECT_TRUE(read_file(saved.directory + "/junit.xml"));
  EXPECT_TRUE(read_file(saved.directory + "/summary.md"));
  EXPECT_TRUE(saved.merged.notes.empty());
}

TEST(MergeSave, HowLongAnUnfinishedRunWentOnIsTakenFromItsSeries) {
  const MadeFleet fleet;
  fleet.put_node("n1");
  fleet.put_unfinished("n2");
  fleet.put("n2/series/loads.csv", kSeries);
  const Saved saved = save(fleet, {"n1", "n2"}, "n[1-2]");
  EXPECT_DOUBLE_EQ(saved.merged.nodes[1].result.verdict.duration_s, 2);
  EXPECT_EQ(saved.merged.exit_code, 3);
}

TEST(MergeSave, ASeriesThatIsMissingIsANoteAndChangesNothing) {
  const MadeFleet fleet;
  fleet.put_node("n1");
  const Saved saved = save(fleet, {"n1"}, "n1");
  EXPECT_EQ(saved.merged.exit_code, 0);
  ASSERT_EQ(saved.merged.notes.size(), 1U);
  EXPECT_NE(saved.merge.verdict.find("no series/loads.csv"), std::string::npos);
}

TEST(MergeSave, EachKindOfStallIsKeptThoughThereAreManyOfOne) {
  const MadeFleet fleet;
  fleet.put_node("n1", [](Verdict& verdict) {
    for (int i = 0; i < 50; ++i) add_stall(verdict, 1000 + i * 60'000);
    add_stall(verdict, 90e6, "fs_server_stuck:request>service_stopped");
  });
  const Saved saved = save(fleet, {"n1"}, "n1");
  const auto run = read_run(saved.directory);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->incidents.size(), 4U);
  std::size_t other = 0;
  for (const StoredIncident& incident : run->incidents)
    other += incident.stall_class == "fs_server_stuck" ? 1 : 0;
  EXPECT_EQ(other, 1U);
}

}  // namespace
}  // namespace stallproof
