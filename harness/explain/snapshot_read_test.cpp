// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/snapshot_read.h"

#include <gtest/gtest.h>

#include "harness/base/file.h"
#include "harness/explain/crash_text.h"
#include "harness/explain/explain.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_fixture.h"
#include "harness/explain/snapshot_text.h"

namespace stallproof {
namespace {

std::string explained(const LockSnapshot& snapshot) {
  return render_json(explain(snapshot, *FsKnowledge::shipped()));
}

LockSnapshot seed_crash() {
  std::string text;
  for (const char* name : {"foreach-bt.txt", "bt-holder.txt", "bt-writer.txt", "rwsem-waiters.txt"})
    text +=
        read_file(std::string(SP_SOURCE_DIR "/examples/seed-crash/") + name).value_or("") + "\n";
  return parse_crash_text(text).snapshot;
}

TEST(SnapshotRead, SavedSnapshotIsExplainedAsTheLiveOne) {
  for (const LockSnapshot& snapshot : {fixture::reported_stall(), seed_crash()}) {
    ASSERT_FALSE(snapshot.tasks.empty());
    const auto again = read_snapshot_json(snapshot_json(snapshot));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(explained(*again), explained(snapshot));
    EXPECT_EQ(snapshot_json(*again), snapshot_json(snapshot));
  }
}

TEST(SnapshotRead, WrongTypesNameTheirPlace) {
  const auto problem = [](const char* text) {
    const auto read = read_snapshot_json(text);
    return read ? "read" : read.error().what;
  };
  EXPECT_EQ(problem(R"({"schema":1,"tasks":[{"tid":1},{"tid":"x"}]})"),
            "snapshot: tasks[1].tid: not a number");
  EXPECT_EQ(problem(R"({"schema":1,"tasks":[{"tid":99999999999}]})"),
            "snapshot: tasks[0].tid: out of range");
  EXPECT_EQ(problem(R"({"schema":1,"locks":[{"waiters":[{"mode":"sideways"}]}]})"),
            "snapshot: locks[0].waiters[0].mode: an unknown word");
  EXPECT_EQ(problem(R"({"schema":1,"tasks":7})"), "snapshot: tasks: not a list");
  EXPECT_EQ(problem(R"({"schema":2})"), "snapshot: schema 2 is not known (1 is)");
  EXPECT_EQ(problem("[1"), "snapshot: not JSON, or cut");
}

TEST(SnapshotRead, NoCutOrDamageCrashes) {
  const std::string text = snapshot_json(fixture::reported_stall());
  for (std::size_t at = 0; at < text.size(); at += 7) {
    [[maybe_unused]] const auto cut = read_snapshot_json(std::string_view(text).substr(0, at));
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x11);
    if (const auto read = read_snapshot_json(damaged)) explained(*read);
  }
}

}  // namespace
}  // namespace stallproof
