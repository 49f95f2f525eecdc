// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/next_commands.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

Explanation circle() {
  Explanation made;
  made.stall_class = "mmap_lock_cycle";
  ExplainedNode writer;
  writer.id = "task:12";
  writer.comm = "java";
  writer.tid = 12;
  writer.tgid = 10;
  made.nodes = {writer};
  made.cycle = std::vector<std::string>{"task:11", "fuse:41", "task:12"};
  made.root.first_writer = "task:12";
  return made;
}

TEST(NextCommands, CircleThroughFuseIsAbortedFirst) {
  const auto next = next_commands(circle(), {.archive = "/x/c.tar.gz", .fusectl_mounted = true});
  ASSERT_EQ(next.size(), 3U);
  EXPECT_EQ(next[0].command, "echo 1 > /sys/fs/fuse/connections/41/abort");
  EXPECT_EQ(next[1].command, "kill -9 10");
  EXPECT_EQ(next[2].command, "stallproof explain /x/c.tar.gz");
}

TEST(NextCommands, AbortFileThatIsNotThereIsMounted) {
  EXPECT_TRUE(next_commands(circle(), {}).front().command.starts_with("mount -t fusectl"));
}

TEST(NextCommands, NothingStuckSuggestsToWatch) {
  Explanation nothing;
  nothing.stall_class = "none";
  const auto next = next_commands(nothing, {.target_words = "--pid 7"});
  ASSERT_EQ(next.size(), 3U);
  EXPECT_EQ(next[0].command, "stallproof watch --pid 7");
}

TEST(NextCommands, AlwaysThree) {
  Explanation bare;
  bare.stall_class = "unknown";
  EXPECT_EQ(next_commands(bare, {}).size(), 3U);
}

}  // namespace
}  // namespace stallproof
