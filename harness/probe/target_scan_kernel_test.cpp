// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <optional>

#include "harness/base/fd.h"
#include "harness/probe/target_proc.h"
#include "harness/probe/target_scan.h"
#include "harness/probe/testing/stuck_fuse.h"

namespace stallproof {
namespace {

bool lacks_means() { return ::geteuid() != 0 || ::access("/sys/kernel/btf/vmlinux", R_OK) != 0; }

#define OPEN_OR_SKIP(scan)                                           \
  auto scan = TargetScan::open();                                    \
  if (!(scan) && lacks_means()) GTEST_SKIP() << (scan).error().what; \
  ASSERT_TRUE(scan) << (scan).error().what

// A child that does something and then waits for a byte that never comes.
class Process {
 public:
  explicit Process(const std::function<void()>& work) : pid_(::fork()) {
    if (pid_ != 0) return;
    work();
    ::pause();
    ::_exit(0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    ::kill(pid_, SIGKILL);
    for (int i = 0; i < 1000 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++i) ::poll(nullptr, 0, 2);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

std::optional<ThreadSample> sample_of(TargetScan& scan, pid_t pid) {
  const auto samples = scan.sample();
  if (!samples) return std::nullopt;
  for (const ThreadSample& sample : *samples)
    if (sample.tid == pid) return sample;
  return std::nullopt;
}

TEST(TargetScan, CountsTheCallsOfTheThread) {
  OPEN_OR_SKIP(scan);
  ASSERT_TRUE(scan->watch(::getpid()));
  const Fd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  const auto before = sample_of(*scan, ::getpid());
  char byte = 0;
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(::pread(file.get(), &byte, 1, 0), 1);
  const auto after = sample_of(*scan, ::getpid());
  ASSERT_TRUE(before && after);
  // The iterator itself is read with read(2).
  EXPECT_GE(after->completed - before->completed, 1000U);
  EXPECT_LE(after->completed - before->completed, 1010U);
}

TEST(TargetScan, OnlyWatchedProcessesAreSampled) {
  OPEN_OR_SKIP(scan);
  const Process sleeper([] {});
  EXPECT_FALSE(sample_of(*scan, sleeper.pid()));
  ASSERT_TRUE(scan->watch(sleeper.pid()));
  EXPECT_TRUE(sample_of(*scan, sleeper.pid()));
  ASSERT_TRUE(scan->unwatch(sleeper.pid()));
  EXPECT_FALSE(sample_of(*scan, sleeper.pid()));
}

TEST(TargetScan, SleepBeganWhenTheThreadLastRan) {
  OPEN_OR_SKIP(scan);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(scan->sample());
  const Nanos began = monotonic_now();
  const Process sleeper([] {});
  ::poll(nullptr, 0, 300);
  ASSERT_TRUE(scan->watch(sleeper.pid()));
  const auto sample = sample_of(*scan, sleeper.pid());
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->wait, ThreadWait::none);
  EXPECT_GE(sample->ran_ns + 20 * kMillisecond, began);
  EXPECT_LE(sample->ran_ns, began + 200 * kMillisecond);
}

// From the second look on a sleeper is only told to be the same.
TEST(TargetScan, SleeperStaysAsItWasFirstSeen) {
  OPEN_OR_SKIP(scan);
  const Process sleeper([] {}), other([] {});
  ASSERT_TRUE(scan->watch(sleeper.pid()));
  ASSERT_TRUE(scan->watch(::getpid()));  // runs, so it is told anew every time
  ::poll(nullptr, 0, 100);
  const auto first = sample_of(*scan, sleeper.pid());
  ASSERT_TRUE(first);
  for (int i = 0; i < 3; ++i) {
    const auto later = sample_of(*scan, sleeper.pid());
    ASSERT_TRUE(later);
    EXPECT_EQ(later->tgid, first->tgid);
    EXPECT_EQ(later->place, first->place);
    EXPECT_EQ(later->switches, first->switches);
    EXPECT_EQ(later->ran_ns, first->ran_ns);
    EXPECT_EQ(later->start, first->start);
  }
  // Others come and it is not looked at for a while: numbers shift, nothing is mixed up.
  ASSERT_TRUE(scan->unwatch(sleeper.pid()));
  ASSERT_TRUE(scan->watch(other.pid()));
  EXPECT_FALSE(sample_of(*scan, sleeper.pid()));
  ASSERT_TRUE(scan->watch(sleeper.pid()));
  const auto again = sample_of(*scan, sleeper.pid());
  const auto beside = sample_of(*scan, other.pid());
  ASSERT_TRUE(again && beside);
  EXPECT_EQ(again->place, first->place);
  EXPECT_EQ(again->switches, first->switches);
  EXPECT_EQ(beside->tgid, other.pid());
}

TEST(TargetScan, SleeperThatRanIsToldAnew) {
  OPEN_OR_SKIP(scan);
  const Process sleeper([] { ::signal(SIGUSR1, [](int) {}); });
  ASSERT_TRUE(scan->watch(sleeper.pid()));
  ::poll(nullptr, 0, 100);
  const auto first = sample_of(*scan, sleeper.pid());
  ASSERT_TRUE(sample_of(*scan, sleeper.pid()));
  ::kill(sleeper.pid(), SIGSTOP);
  ::poll(nullptr, 0, 50);
  const auto stopped = sample_of(*scan, sleeper.pid());
  ASSERT_TRUE(first && stopped);
  EXPECT_GT(stopped->switches, first->switches);
  EXPECT_EQ(stopped->wait, ThreadWait::excluded);
  ::kill(sleeper.pid(), SIGCONT);
}

TEST(TargetScan, StoppedProcessIsExcluded) {
  OPEN_OR_SKIP(scan);
  const Process sleeper([] { ::raise(SIGSTOP); });
  ASSERT_TRUE(scan->watch(sleeper.pid()));
  ::poll(nullptr, 0, 100);
  const auto sample = sample_of(*scan, sleeper.pid());
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->wait, ThreadWait::excluded);
}

TEST(TargetScan, ReaderOfAPipeDoesOtherWork) {
  OPEN_OR_SKIP(scan);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]), writing(ends[1]);
  const Process reader([&reading] {
    char byte = 0;
    [[maybe_unused]] const ssize_t n = ::read(reading.get(), &byte, 1);
  });
  ASSERT_TRUE(scan->watch(reader.pid()));
  ::poll(nullptr, 0, 100);
  const auto sample = sample_of(*scan, reader.pid());
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->wait, ThreadWait::none);
  EXPECT_TRUE(sample->other_work);
}

void spin() {
  for (volatile bool forever = true; forever;) {
  }
}

TEST(TargetScan, TellsTimeInUserModeOfWhoSpendsIt) {
  OPEN_OR_SKIP(scan);
  const Process sleeper([] {}), spinner(spin);
  ASSERT_TRUE(scan->watch(sleeper.pid()) && scan->watch(spinner.pid()));
  ::poll(nullptr, 0, 100);  // it has started, which takes time too, and sleeps
  const auto idle = sample_of(*scan, sleeper.pid()), busy = sample_of(*scan, spinner.pid());
  ::poll(nullptr, 0, 400);
  const auto idle_later = sample_of(*scan, sleeper.pid());
  const auto busy_later = sample_of(*scan, spinner.pid());
  ASSERT_TRUE(idle && busy && idle_later && busy_later);
  EXPECT_GE(busy_later->user_ns - busy->user_ns, 25 * kMillisecond);
  EXPECT_LE(busy_later->user_ns - busy->user_ns, kSecond);
  EXPECT_EQ(idle_later->user_ns, idle->user_ns);
}

TEST(TargetProc, TellsWhoWasSeenRunning) {
  auto proc = TargetProc::open();
  ASSERT_TRUE(proc);
  const Process sleeper([] {}), spinner(spin);
  ASSERT_TRUE(proc->watch(sleeper.pid()) && proc->watch(spinner.pid()));
  proc->set_calls(sleeper.pid(), 1, 1);
  proc->set_calls(spinner.pid(), 1, 1);
  ASSERT_EQ(proc->sample().size(), 4U);
  ::poll(nullptr, 0, 50);
  Nanos idle = 1, busy = 0;
  for (const ThreadSample& sample : proc->sample()) {
    idle = sample.tid == -sleeper.pid() ? sample.user_ns : idle;
    busy = sample.tid == -spinner.pid() ? sample.user_ns : busy;
  }
  EXPECT_EQ(idle, 0U);
  EXPECT_GE(busy, 50 * kMillisecond);
}

TEST(TargetProc, SeesStatesAndSwitchesAndWhatIsToldOfCalls) {
  auto proc = TargetProc::open();
  ASSERT_TRUE(proc);
  const Process sleeper([] {});
  ASSERT_TRUE(proc->watch(sleeper.pid()));
  ::poll(nullptr, 0, 50);
  EXPECT_EQ(proc->sample().size(), 1U);
  proc->set_calls(sleeper.pid(), 1000, 1 * kSecond);
  proc->set_calls(sleeper.pid(), 2000, 2 * kSecond);
  const auto samples = proc->sample();
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[1].completed, 1000U);
  EXPECT_EQ(samples[0].wait, ThreadWait::none);
  proc->set_calls(sleeper.pid(), 2001, 3 * kSecond);  // a line of a log
  EXPECT_EQ(proc->sample()[1].completed, 1000U);
  proc->unwatch(sleeper.pid());
  EXPECT_TRUE(proc->sample().empty());
}

}  // namespace
}  // namespace stallproof
