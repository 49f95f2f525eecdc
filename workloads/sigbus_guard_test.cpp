// SPDX-License-Identifier: Apache-2.0
// A mapping behind the end of its file answers every touch with SIGBUS, on any file system.
#include "workloads/sigbus_guard.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr std::size_t kPage = 4096;

class SigbusGuard : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer 12 never returns from a jump out of a SIGBUS handler";
#endif
    ASSERT_TRUE(catch_sigbus());
    const Fd file(::memfd_create("sigbus-guard", MFD_CLOEXEC));
    ASSERT_EQ(::ftruncate(file.get(), kPage), 0);
    void* base = ::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    ASSERT_NE(base, MAP_FAILED);
    present_ = static_cast<std::byte*>(base);
    missing_ = present_ + kPage;
  }
  void TearDown() override {
    if (present_ != nullptr) ::munmap(present_, 2 * kPage);
  }
  std::byte* present_ = nullptr;
  std::byte* missing_ = nullptr;
};

TEST_F(SigbusGuard, MissingPageIsReportedAgainAndAgain) {
  std::array<std::byte, kPage> copy{};
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(guarded_touch(missing_));
    EXPECT_FALSE(guarded_copy(copy.data(), missing_, kPage));
  }
}

TEST_F(SigbusGuard, PresentPageIsReadAsItIs) {
  std::memset(present_, 0x5a, kPage);
  std::array<std::byte, kPage> copy{};
  EXPECT_TRUE(guarded_touch(present_));
  EXPECT_TRUE(guarded_copy(copy.data(), present_, kPage));
  EXPECT_EQ(std::memcmp(copy.data(), present_, kPage), 0);
}

TEST_F(SigbusGuard, SigbusOutsideAGuardKills) {
  EXPECT_EXIT(*const_cast<volatile std::byte*>(missing_) = std::byte{1},
              ::testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace stallproof
