// SPDX-License-Identifier: Apache-2.0
// A watchdog that was not run must not call a stall what it did not see, and must still find the
// one that stands. Watchdog and load are processes of their own, stopped and continued by signals.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "harness/run/watchdog.h"

namespace stallproof {
namespace {

constexpr Nanos kStallAfter = 500 * kMillisecond;
constexpr Nanos kTick = 50 * kMillisecond;
constexpr Nanos kStopped = 1200 * kMillisecond;

void sleep_for(Nanos span) { ::poll(nullptr, 0, static_cast<int>(span / kMillisecond)); }

template <class Body>
pid_t start(Body body) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  body();
  ::_exit(0);
}

class Watched {
 public:
  // `op`: how long each op of the load takes.
  explicit Watched(Nanos op) : evidence_(*Evidence::create()) {
    const Board::LoadSpec spec{"load", 1};
    board_ = std::move(*Board::create(std::span(&spec, 1), 1));
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_), 0);
    watchdog_ = start([this] {
      WatchdogOptions options{.tick = kTick, .channel_fd = ends_[1]};
      options.thresholds.stall_after = kStallAfter;
      Watchdog watchdog(std::make_unique<BoardSource>(*Board::attach(board_.fd(), false)),
                        *Evidence::attach(evidence_.fd()), options);
      watchdog.run();
    });
    load_ = start([this, op] {
      for (;;) {
        const OpScope scope(board_.slots()[0], Op::read, 0);
        sleep_for(op);
      }
    });
    sleep_for(300 * kMillisecond);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() {
    for (const pid_t pid : {load_, watchdog_}) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  [[nodiscard]] pid_t watchdog() const { return watchdog_; }
  [[nodiscard]] pid_t load() const { return load_; }
  static void stop(const std::vector<pid_t>& processes) {
    for (const pid_t pid : processes) ::kill(pid, SIGSTOP);
  }
  static void go_on(const std::vector<pid_t>& processes) {
    for (const pid_t pid : processes) ::kill(pid, SIGCONT);
  }
  // Incidents opened from now on, within this time.
  std::vector<WatchEvent> incidents_within(Nanos span) const {
    std::vector<WatchEvent> opened;
    const Deadline deadline = Deadline::in(span);
    while (!deadline.passed()) {
      WatchEvent event{};
      if (::recv(ends_[0], &event, sizeof event, MSG_DONTWAIT) != sizeof event)
        sleep_for(5 * kMillisecond);
      else if (event.kind == WatchEventKind::incident_opened)
        opened.push_back(event);
    }
    return opened;
  }
  [[nodiscard]] const WatchdogHealth& health() const { return evidence_.area().health; }

 private:
  Evidence evidence_;
  Board board_;
  int ends_[2] = {-1, -1};
  pid_t watchdog_ = -1;
  pid_t load_ = -1;
};

TEST(ObserverGap, WatchdogThatWasStoppedSeesNoStallAndSaysThatItWas) {
  Watched made(20 * kMillisecond);
  Watched::stop({made.watchdog()});
  sleep_for(kStopped);
  Watched::go_on({made.watchdog()});
  EXPECT_TRUE(made.incidents_within(2 * kStallAfter).empty());
  EXPECT_EQ(made.health().gaps.load(), 1U);
  EXPECT_NEAR(static_cast<double>(made.health().gap_ns.load()), static_cast<double>(kStopped),
              static_cast<double>(300 * kMillisecond));
}

TEST(ObserverGap, EverythingStoppedAtOnceIsNoStall) {
  Watched made(20 * kMillisecond);
  for (int i = 0; i < 2; ++i) {
    Watched::stop({made.load(), made.watchdog()});
    sleep_for(kStopped);
    Watched::go_on({made.watchdog(), made.load()});
    EXPECT_TRUE(made.incidents_within(2 * kStallAfter).empty());
  }
  EXPECT_EQ(made.health().gaps.load(), 2U);
}

// A slow disk: the op that was in flight when all stood needs most of stall-after once they go on.
TEST(ObserverGap, SlowOpThatWasStoppedWithItsWatchdogIsNoStall) {
  Watched made(400 * kMillisecond);
  Watched::stop({made.load(), made.watchdog()});
  sleep_for(kStopped);
  Watched::go_on({made.watchdog()});
  sleep_for(200 * kMillisecond);
  Watched::go_on({made.load()});
  EXPECT_TRUE(made.incidents_within(2 * kStallAfter).empty());
}

TEST(ObserverGap, StallThatStandsThroughAGapIsFoundAfterIt) {
  Watched made(20 * kMillisecond);
  Watched::stop({made.load()});  // the load stalls, and its watchdog does not see it begin
  const Nanos stalled = monotonic_now();
  Watched::stop({made.watchdog()});
  sleep_for(kStopped);
  Watched::go_on({made.watchdog()});
  const Nanos again = monotonic_now();
  const auto opened = made.incidents_within(3 * kStallAfter);
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_NEAR(static_cast<double>(opened[0].since_ns), static_cast<double>(stalled),
              static_cast<double>(50 * kMillisecond));
  EXPECT_LE(opened[0].at_ns, again + kStallAfter + 250 * kMillisecond);
}

TEST(ObserverGap, LoadThatStopsAloneIsFoundAsEver) {
  Watched made(20 * kMillisecond);
  Watched::stop({made.load()});
  EXPECT_EQ(made.incidents_within(kStallAfter + 300 * kMillisecond).size(), 1U);
  EXPECT_EQ(made.health().gaps.load(), 0U);
}

}  // namespace
}  // namespace stallproof
