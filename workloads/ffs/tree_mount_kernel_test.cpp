// SPDX-License-Identifier: Apache-2.0
// How a mount of ffs_target begins and ends.
#include <sys/stat.h>

#include "workloads/ffs/testing/tree_mount_test.h"

namespace stallproof {
namespace {

using TreeMount = TreeMountTest;

TEST_F(TreeMount, NothingCanBeMadeUnlessItIsWritable) {
  ASSERT_NO_FATAL_FAILURE(mount({}));
  EXPECT_NE(::mkdir(target_->path("d").c_str(), 0755), 0);
  EXPECT_FALSE(open("f", O_RDWR | O_CREAT).valid());
  EXPECT_FALSE(open("data", O_WRONLY).valid());
  EXPECT_EQ(errno, EROFS);
}

TEST_F(TreeMount, IsGoneAfterTheEndWhateverWasOpen) {
  ASSERT_NO_FATAL_FAILURE(mount_tree());
  const Fd file = open("f", O_RDWR | O_CREAT);
  ASSERT_TRUE(write_pattern(file, 0, kPageBytes));
  EXPECT_EQ(target_->end_by(Deadline::in(2 * kSecond)), 0);
  EXPECT_FALSE(target_->mounted());
}

TEST_F(TreeMount, KilledServerLeavesADeadMountThatFailsAtOnce) {
  ASSERT_NO_FATAL_FAILURE(mount_tree());
  const Fd file = open("f", O_RDWR | O_CREAT);
  ASSERT_TRUE(write_pattern(file, 0, kPageBytes));
  ASSERT_TRUE(target_->kill_by(Deadline::in(kSecond)));
  EXPECT_TRUE(target_->mounted());
  EXPECT_FALSE(open("g", O_RDWR | O_CREAT).valid());
  EXPECT_EQ(errno, ENOTCONN);
  EXPECT_FALSE(write_pattern(file, 0, kPageBytes));
}

TEST_F(TreeMount, StoreLargerThanTheMachineIsNotMounted) {
  EXPECT_FALSE(TargetMount::start({"writable=yes", "store-size=1000t"}));
}

}  // namespace
}  // namespace stallproof
