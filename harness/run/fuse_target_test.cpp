// SPDX-License-Identifier: Apache-2.0
#include "harness/run/fuse_target.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace stallproof {
namespace {

// No descriptor can be opened meanwhile.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST(FuseTarget, UnreadableMountinfoIsNotNothingMounted) {
  const NoDescriptors none;
  EXPECT_FALSE(find_fuse_target("/nonexistent"));
  EXPECT_FALSE(detach_fuse_targets("/nonexistent"));
}

TEST(FuseTarget, NothingMountedIsNoError) {
  const auto target = find_fuse_target("/nonexistent");
  ASSERT_TRUE(target);
  EXPECT_FALSE(*target);
  EXPECT_TRUE(detach_fuse_targets("/nonexistent"));
}

}  // namespace
}  // namespace stallproof
