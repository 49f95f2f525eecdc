// SPDX-License-Identifier: Apache-2.0
#include "harness/run/process_identity.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace stallproof {
namespace {

class ProcessIdentityTest : public testing::Test {
 protected:
  // A child that waits for ever, or whose first thread has left a second one that does.
  void start(bool leader_leaves = false) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto wait = [] {
      for (;;) ::pause();
    };
    if (!leader_leaves) wait();
    std::thread(wait).detach();
    ::syscall(SYS_exit, 0);  // pthread_exit unwinds
  }
  ~ProcessIdentityTest() override {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] bool runs() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }
  pid_t pid_ = 0;
};

TEST_F(ProcessIdentityTest, ALivingProcessIsPresentAndDiesOfTheKill) {
  start();
  const ProcessIdentity process = identify_process(pid_);
  EXPECT_NE(process.start_ticks, 0U);
  EXPECT_EQ(presence_of(process), Presence::present);
  EXPECT_EQ(kill_process(process, Deadline::in(5 * kSecond)), Presence::gone);
  EXPECT_EQ(presence_of(process), Presence::gone);
}

TEST_F(ProcessIdentityTest, WhoTookThePidIsSpared) {
  start();
  ProcessIdentity earlier = identify_process(pid_);
  earlier.start_ticks += 1;
  EXPECT_EQ(kill_process(earlier, Deadline::in(kSecond)), Presence::gone);
  EXPECT_TRUE(runs());
}

TEST_F(ProcessIdentityTest, UnknownStartTimeIsNeitherGoneNorKilled) {
  start();
  EXPECT_EQ(kill_process({.pid = pid_, .start_ticks = 0}, Deadline::in(kSecond)),
            Presence::unknown);
  EXPECT_TRUE(runs());
}

TEST_F(ProcessIdentityTest, ZombieLeaderOfALivingThreadIsPresent) {
  start(true);
  const ProcessIdentity process = identify_process(pid_);
  ::poll(nullptr, 0, 100);
  EXPECT_EQ(presence_of(process), Presence::present);
  EXPECT_EQ(kill_process(process, Deadline::in(5 * kSecond)), Presence::gone);
}

TEST_F(ProcessIdentityTest, APidThatNobodyHasIsGone) {
  start();
  const ProcessIdentity process = identify_process(pid_);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
  EXPECT_EQ(presence_of(process), Presence::gone);
}

}  // namespace
}  // namespace stallproof
