// SPDX-License-Identifier: Apache-2.0
// A mapping behind the end of its file answers every touch with SIGBUS, on any file system.
#include "workloads/fault_guard.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr std::size_t kPage = 4096;

class FaultGuard : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer 12 never returns from a jump out of a SIGBUS handler";
#endif
    ASSERT_TRUE(catch_fault_signals());
    const Fd file(::memfd_create("fault-guard", MFD_CLOEXEC));
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

TEST_F(FaultGuard, MissingPageIsReportedAgainAndAgainWithItsAddress) {
  std::array<std::byte, kPage> copy{};
  for (std::size_t at : {0U, 8U, 4088U}) {
    const auto caught = guarded_copy(copy.data(), missing_ + at, 8);
    ASSERT_TRUE(caught);
    EXPECT_EQ(caught->signal, SIGBUS);
    EXPECT_EQ(caught->address, reinterpret_cast<std::uintptr_t>(missing_ + at));
  }
}

TEST_F(FaultGuard, WriteToProtectedMemoryIsReportedAsSuch) {
  ASSERT_EQ(::mprotect(present_, kPage, PROT_READ), 0);
  const std::byte value{1};
  const auto caught = guarded_copy(present_ + 5, &value, 1);
  ASSERT_TRUE(caught);
  EXPECT_EQ(caught->signal, SIGSEGV);
  EXPECT_EQ(caught->address, reinterpret_cast<std::uintptr_t>(present_ + 5));
}

TEST_F(FaultGuard, WorkBeforeTheFaultStays) {
  struct Progress {
    std::byte* from;
    unsigned steps = 0;
  } progress{present_};
  const auto caught = guarded_call(
      [](void* argument) {
        auto& now = *static_cast<Progress*>(argument);
        for (; now.steps < 4; ++now.steps) {
          std::atomic_signal_fence(std::memory_order_seq_cst);
          [[maybe_unused]] const std::byte value =
              *const_cast<const volatile std::byte*>(now.from + now.steps * kPage / 2);
        }
      },
      &progress);
  EXPECT_TRUE(caught);
  EXPECT_EQ(progress.steps, 2U);
}

TEST_F(FaultGuard, PresentPageIsReadAsItIs) {
  std::memset(present_, 0x5a, kPage);
  std::array<std::byte, kPage> copy{};
  EXPECT_FALSE(guarded_copy(copy.data(), present_, kPage));
  EXPECT_EQ(std::memcmp(copy.data(), present_, kPage), 0);
}

TEST_F(FaultGuard, SigbusOutsideAGuardKills) {
  EXPECT_EXIT(*const_cast<volatile std::byte*>(missing_) = std::byte{1},
              ::testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace stallproof
