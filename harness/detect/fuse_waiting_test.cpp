// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/fuse_waiting.h"

#include <gtest/gtest.h>

#include "harness/detect/view_builder.h"

namespace stallproof {
namespace {

class Connections {
 public:
  Connections() : evidence_(*Evidence::create()) {
    evidence_.area().watched_fuse[2].store(40);
    build.view.names = &evidence_.area();
  }
  FindingList look(Nanos now, std::uint32_t waiting) {
    build.at(now).view.system.at_ns = now;
    build.view.system.fuse_waiting[2] = waiting;
    FindingList found;
    detector.check(build.view, found);
    return found;
  }
  ViewBuilder build;
  FuseWaiting detector{Thresholds{}};

 private:
  Evidence evidence_;
};

TEST(FuseWaiting, RequestsWithoutAnyCompletionForStallAfterAreFound) {
  Connections made;
  made.build.done(900 * kMillisecond);
  EXPECT_TRUE(made.look(1 * kSecond, 5).items().empty());
  const FindingList found = made.look(2 * kSecond, 6);
  ASSERT_EQ(count_of(found, FindingKind::fuse_waiting), 1U);
  EXPECT_EQ(found.items()[0].count, 6U);
  EXPECT_EQ(found.items()[0].since_ns, 1 * kSecond);
  EXPECT_STREQ(found.items()[0].subject.data(), "connection 40");
}

TEST(FuseWaiting, BusyConnectionThatAnswersIsQuiet) {
  Connections made;
  for (std::uint64_t i = 1; i < 20; ++i) {
    made.build.done(i * kSecond / 2);
    EXPECT_TRUE(made.look(i * kSecond / 2, 16).items().empty());
  }
}

TEST(FuseWaiting, IdleConnectionOfLoadThatIsDoneIsQuiet) {
  Connections made;
  made.build.done(kSecond);
  for (std::uint64_t i = 2; i < 20; ++i) EXPECT_TRUE(made.look(i * kSecond, 0).items().empty());
}

}  // namespace
}  // namespace stallproof
