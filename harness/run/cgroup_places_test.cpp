// SPDX-License-Identifier: Apache-2.0
#include "harness/run/cgroup_places.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

std::vector<std::string> words_for(const char* mountinfo) {
  const auto mounts = parse_mountinfo(mountinfo);
  EXPECT_TRUE(mounts);
  Settings words;
  add_cgroup_words(cgroup_places(*mounts, "a"), words);
  return words.words();
}

TEST(CgroupPlaces, VersionOneHasOnePlaceForEachController) {
  EXPECT_EQ(words_for("32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup "
                      "rw,cpu,cpuacct\n"
                      "38 31 0:35 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n"
                      "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"),
            (std::vector<std::string>{"cgroup-blkio=/sys/fs/cgroup/blkio/stallproof-a",
                                      "cgroup-cpu=/sys/fs/cgroup/cpu,cpuacct/stallproof-a"}));
}

TEST(CgroupPlaces, VersionTwoAloneHasOnePlace) {
  EXPECT_EQ(words_for("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"),
            (std::vector<std::string>{"cgroup-unified=/sys/fs/cgroup/stallproof-a"}));
}

TEST(CgroupPlaces, BothVersionsAreFoundBesideEachOther) {
  EXPECT_EQ(words_for("37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
                      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"),
            (std::vector<std::string>{"cgroup-freezer=/sys/fs/cgroup/freezer/stallproof-a",
                                      "cgroup-unified=/sys/fs/cgroup/unified/stallproof-a"}));
}

TEST(CgroupPlaces, AHierarchyThatIsMountedTwiceIsOnePlace) {
  const auto mounts = parse_mountinfo(
      "37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
      "90 31 0:34 / /elsewhere rw - cgroup cgroup rw,freezer\n");
  ASSERT_TRUE(mounts);
  const auto places = cgroup_places(*mounts, "a");
  ASSERT_EQ(places.size(), 1U);
  EXPECT_EQ(places[0].path, "/sys/fs/cgroup/freezer/stallproof-a");
}

TEST(CgroupPlaces, AMachineWithoutCgroupsHasNone) {
  EXPECT_TRUE(words_for("22 27 0:21 / /proc rw - proc proc rw\n").empty());
}

}  // namespace
}  // namespace stallproof
