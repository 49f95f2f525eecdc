// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/probe_child.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include "harness/probe/testing/fake_tree.h"

namespace stallproof {
namespace {

TEST(ProbeChild, ReadsAFileInAnotherProcess) {
  const FakeTree tree;
  tree.put("file", "content\n");
  auto child = ProbeChild::start();
  ASSERT_TRUE(child) << child.error().what;
  EXPECT_EQ(child->read(tree.root() + "/file", Deadline::in(kSecond)).value(), "content\n");
  EXPECT_EQ(child->timeouts(), 0U);
  const auto own = child->read("/proc/self/status", Deadline::in(kSecond));
  ASSERT_TRUE(own);
  EXPECT_NE(own->find("Name:\tsp-probe"), std::string::npos);
}

TEST(ProbeChild, HangingReadIsGivenUpAtTheDeadlineAndTheNextOneWorks) {
  const FakeTree tree;
  tree.put("file", "content\n");
  const std::string fifo = tree.root() + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  auto child = ProbeChild::start();
  ASSERT_TRUE(child);
  const pid_t first = child->pid();
  const Nanos started = monotonic_now();
  const auto hung = child->read(fifo, Deadline::in(50 * kMillisecond));
  EXPECT_LT(monotonic_now() - started, kSecond);
  ASSERT_FALSE(hung);
  EXPECT_NE(hung.error().what.find(fifo + " did not answer"), std::string::npos);
  EXPECT_EQ(child->timeouts(), 1U);
  EXPECT_EQ(child->timeouts_by_file().at("fifo"), 1U);
  EXPECT_TRUE(child->read(tree.root() + "/file", Deadline::in(kSecond)));
  EXPECT_NE(child->pid(), first);
  EXPECT_EQ(child->abandoned(), 0U);
}

TEST(ProbeChild, MissingFileIsAnErrorAndNotATimeout) {
  auto child = ProbeChild::start();
  ASSERT_TRUE(child);
  const auto text = child->read("/nonexistent/file", Deadline::in(kSecond));
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().what.find("/nonexistent/file: No such file"), std::string::npos);
  EXPECT_EQ(child->timeouts(), 0U);
}

TEST(ProbeChild, DeathOfTheChildIsSurvived) {
  auto child = ProbeChild::start();
  ASSERT_TRUE(child);
  ::kill(child->pid(), SIGKILL);
  EXPECT_FALSE(child->read("/proc/self/status", Deadline::in(kSecond)));
  EXPECT_TRUE(child->read("/proc/self/status", Deadline::in(kSecond)));
}

TEST(ProbeChild, LongFileIsCut) {
  const FakeTree tree;
  tree.put("file", std::string(ProbeChild::kMaxBytes + 5000, 'x'));
  auto child = ProbeChild::start();
  ASSERT_TRUE(child);
  const auto text = child->read(tree.root() + "/file", Deadline::in(kSecond));
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_EQ(text->size(), ProbeChild::kMaxBytes);
}

}  // namespace
}  // namespace stallproof
