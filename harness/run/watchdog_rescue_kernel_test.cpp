// SPDX-License-Identifier: Apache-2.0
// A CPU that is kept from the watchdog, here by a process of a higher priority. The watchdog is
// bound to it, since of two that are ready by priority the kernel itself moves one; a loop in the
// kernel with preemption off it does not see.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "harness/run/watchdog_rescue.h"

namespace stallproof {
namespace {

void sleep_for(Nanos span) { ::poll(nullptr, 0, static_cast<int>(span / kMillisecond)); }

bool stay_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  return ::sched_setaffinity(0, sizeof set, &set) == 0;
}

bool rank(int priority) {
  const sched_param wanted{.sched_priority = priority};
  return ::sched_setscheduler(0, SCHED_FIFO, &wanted) == 0;
}

// In memory that all of them share.
struct Beats {
  std::atomic<std::uint64_t> last_ns{0};
};

class WatchdogOnAKeptCpu : public ::testing::Test {
 protected:
  void SetUp() override {
    cpu_set_t mine;
    ASSERT_EQ(::sched_getaffinity(0, sizeof mine, &mine), 0);
    if (CPU_COUNT(&mine) < 2) GTEST_SKIP() << "one CPU: there is none to move to";
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(static_cast<unsigned>(cpu), &mine)) kept_ = cpu;
    if (::geteuid() != 0) GTEST_SKIP() << "not root: no real-time priority";
    void* const shared =
        ::mmap(nullptr, sizeof(Beats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    beats_ = new (shared) Beats;
    watchdog_ = start([this] {
      if (!stay_on(kept_) || !rank(1)) return;
      for (;; sleep_for(20 * kMillisecond)) beats_->last_ns.store(monotonic_now());
    });
    sleep_for(100 * kMillisecond);
    ASSERT_LT(silent(), 90 * kMillisecond) << "the watchdog does not run";
  }
  void TearDown() override {
    for (const pid_t pid : {hog_, watchdog_}) {
      if (pid <= 0) continue;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    if (beats_ != nullptr) ::munmap(beats_, sizeof(Beats));
  }

  template <class Body>
  static pid_t start(Body body) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    ::_exit(1);
  }

  // It ends by itself: nobody may be able to end it.
  void keep_the_cpu() {
    hog_ = start([this] {
      if (!stay_on(kept_) || !rank(50)) return;
      const Nanos end = monotonic_now() + 4 * kSecond;
      while (monotonic_now() < end) {
      }
    });
  }

  [[nodiscard]] Nanos silent() const {
    return monotonic_now() - static_cast<Nanos>(beats_->last_ns.load());
  }

  // As the controller's loop does. Whether it was moved.
  bool serve_for(Nanos span) {
    bool moved = false;
    for (const Nanos end = monotonic_now() + span; monotonic_now() < end;
         sleep_for(50 * kMillisecond))
      moved |= rescue_.serve(watchdog_, silent(), monotonic_now());
    return moved;
  }

  int kept_ = 0;
  Beats* beats_ = nullptr;
  pid_t watchdog_ = 0, hog_ = 0;
  WatchdogRescue rescue_;
};

TEST_F(WatchdogOnAKeptCpu, IsMovedToAnotherAndRuns) {
  keep_the_cpu();
  sleep_for(200 * kMillisecond);
  ASSERT_GE(silent(), 100 * kMillisecond) << "the CPU is not kept from the watchdog";
  for (int i = 0; i < 30 && !serve_for(50 * kMillisecond); ++i) continue;
  sleep_for(100 * kMillisecond);
  EXPECT_LT(silent(), 100 * kMillisecond);
  EXPECT_EQ(rescue_.take_moved(), kept_);
  EXPECT_EQ(rescue_.take_moved(), std::nullopt);
}

TEST_F(WatchdogOnAKeptCpu, OneThatRunsIsLeftWhereItIs) {
  EXPECT_FALSE(serve_for(500 * kMillisecond));
}

// Silent for another reason, which moving it does not mend.
TEST_F(WatchdogOnAKeptCpu, OneThatIsStoppedIsLeftWhereItIs) {
  ::kill(watchdog_, SIGSTOP);
  EXPECT_FALSE(serve_for(800 * kMillisecond));
  cpu_set_t now;
  ASSERT_EQ(::sched_getaffinity(watchdog_, sizeof now, &now), 0);
  EXPECT_EQ(CPU_COUNT(&now), 1);
}

}  // namespace
}  // namespace stallproof
