// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/mountinfo.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

constexpr std::string_view kText =
    "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro\n"
    "30 22 0:25 / /sys/fs/fuse/connections rw,nosuid - fusectl fusectl rw\n"
    "41 22 0:52 / /mnt/data rw,nosuid,nodev shared:7 master:2 - fuse.sshfs host:/a\\040b "
    "rw,user_id=0\n"
    "42 22 0:53 /sub /mnt/with\\040space\\134 rw - fuse  rw\n"
    "43 41 0:54 / /mnt/data rw - fuseblk /dev/vdb rw\n";

std::vector<MountEntry> parsed() {
  auto mounts = parse_mountinfo(kText);
  EXPECT_TRUE(mounts) << mounts.error().what;
  return mounts ? *mounts : std::vector<MountEntry>{};
}

TEST(Mountinfo, FieldsAreReadWhateverTheNumberOfOptionalOnes) {
  const auto mounts = parsed();
  ASSERT_EQ(mounts.size(), 5U);
  EXPECT_EQ(mounts[0].device_major, 254U);
  EXPECT_EQ(mounts[0].fstype, "ext4");
  EXPECT_EQ(mounts[2].device_minor, 52U);
  EXPECT_EQ(mounts[2].super_options, "rw,user_id=0");
}

TEST(Mountinfo, OctalEscapesAreUndone) {
  const auto mounts = parsed();
  ASSERT_EQ(mounts.size(), 5U);
  EXPECT_EQ(mounts[2].source, "host:/a b");
  EXPECT_EQ(mounts[3].mount_point, "/mnt/with space\\");
  EXPECT_EQ(mounts[3].root, "/sub");
}

TEST(Mountinfo, EmptySourceIsEmpty) { EXPECT_EQ(parsed()[3].source, ""); }

TEST(Mountinfo, LaterMountHidesEarlierOneOnTheSamePlace) {
  const auto mounts = parsed();
  ASSERT_NE(mount_of(mounts, "/mnt/data/x"), nullptr);
  EXPECT_EQ(mount_of(mounts, "/mnt/data/x")->id, 43U);
}

TEST(Mountinfo, PathBesideAMountPointIsNotOnIt) {
  EXPECT_EQ(mount_of(parsed(), "/mnt/database")->mount_point, "/");
  EXPECT_EQ(mount_of(parsed(), "relative"), nullptr);
}

TEST(Mountinfo, FuseIsKnownByItsTypeAndFusectlIsNotFuse) {
  const auto mounts = parsed();
  EXPECT_TRUE(is_fuse(mounts[2]));
  EXPECT_TRUE(is_fuse(mounts[3]));
  EXPECT_TRUE(is_fuse(mounts[4]));
  EXPECT_FALSE(is_fuse(mounts[1]));
  EXPECT_FALSE(is_fuse(mounts[0]));
}

TEST(Mountinfo, BrokenLineIsNamedByNumber) {
  const auto mounts =
      parse_mountinfo("22 1 254:1 / / rw - ext4 /dev/root rw\n22 1 x / / rw - a b c\n");
  ASSERT_FALSE(mounts);
  EXPECT_NE(mounts.error().what.find("line 2"), std::string::npos);
}

TEST(Mountinfo, OwnMountsAreReadable) {
  const auto mounts = read_mountinfo();
  ASSERT_TRUE(mounts) << mounts.error().what;
  EXPECT_NE(mount_of(*mounts, "/proc/self"), nullptr);
}

}  // namespace
}  // namespace stallproof
