// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/ffs_options.h"

#include <gtest/gtest.h>

#include "workloads/ffs/service_pool.h"

namespace stallproof {
namespace {

std::string refusal(std::vector<std::string> words) {
  const auto options = parse_ffs_options(words);
  return options ? "accepted" : options.error().what;
}

TEST(FfsOptions, BoardAndMountAreEnough) {
  const auto options = parse_ffs_options({"board=3", "mount=/mnt"});
  ASSERT_TRUE(options) << options.error().what;
  EXPECT_EQ(options->service_threads, 4U);
  EXPECT_EQ(options->page_threads, 0U);
  EXPECT_EQ(options->file_size, 256U << 20U);
  EXPECT_FALSE(options->hashed || options->service_notifies);
}

TEST(FfsOptions, EveryWordIsTakenOver) {
  const auto options =
      parse_ffs_options({"board=3", "ready=4", "mount=/mnt", "service-threads=2", "page-threads=1",
                         "queue=hashed", "notifier=service", "file-size=1MiB"});
  ASSERT_TRUE(options) << options.error().what;
  EXPECT_EQ(options->ready_fd, 4);
  EXPECT_EQ(options->service_threads, 2U);
  EXPECT_EQ(options->page_threads, 1U);
  EXPECT_EQ(options->file_size, 1U << 20U);
  EXPECT_TRUE(options->hashed && options->service_notifies);
}

TEST(FfsOptions, NothingIsWritableUnlessAskedFor) {
  const auto plain = parse_ffs_options({"board=3", "mount=/mnt"});
  ASSERT_TRUE(plain) << plain.error().what;
  EXPECT_FALSE(plain->writable || plain->writeback_cache);
  const auto tree = parse_ffs_options(
      {"board=3", "mount=/mnt", "writable=yes", "store-size=64m", "writeback-cache=yes"});
  ASSERT_TRUE(tree) << tree.error().what;
  EXPECT_TRUE(tree->writable && tree->writeback_cache);
  EXPECT_EQ(tree->store_size, 64U << 20U);
  EXPECT_NE(refusal({"board=3", "mount=/m", "store-size=64m"}).find("writable=yes"),
            std::string::npos);
  EXPECT_NE(refusal({"board=3", "mount=/m", "writable=perhaps"}).find("perhaps"),
            std::string::npos);
}

TEST(FfsOptions, MistakesNameTheWord) {
  EXPECT_NE(refusal({"board=3"}).find("mount"), std::string::npos);
  EXPECT_NE(refusal({"mount=/mnt"}).find("board"), std::string::npos);
  EXPECT_NE(refusal({"board=3", "mount=/m", "queu=hashed"}).find("queu"), std::string::npos);
  EXPECT_NE(refusal({"board=3", "mount=/m", "queue=ring"}).find("ring"), std::string::npos);
  EXPECT_NE(refusal({"board=3", "mount=/m", "service-threads=0"}).find("service-threads"),
            std::string::npos);
  EXPECT_NE(refusal({"board=3", "mount=/m", "file-size=much"}).find("file-size"),
            std::string::npos);
}

TEST(ServicePool, HashedJobsStayOnTheThreadOfTheirSegment) {
  constexpr std::uint64_t kSegment = 1U << 20U;
  EXPECT_EQ(ServicePool::queue_of(0, 4), 0U);
  EXPECT_EQ(ServicePool::queue_of(kSegment - 1, 4), 0U);
  EXPECT_EQ(ServicePool::queue_of(kSegment, 4), 1U);
  EXPECT_EQ(ServicePool::queue_of(7 * kSegment, 4), 3U);
  EXPECT_EQ(ServicePool::queue_of(7 * kSegment, 1), 0U);
}

}  // namespace
}  // namespace stallproof
