// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/process_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "harness/probe/testing/fake_tree.h"

namespace stallproof {
namespace {

bool contains(const ProcessList& list, pid_t pid) {
  return std::find(list.tgids.begin(), list.tgids.end(), pid) != list.tgids.end();
}

// A child that waits to be killed; forked by whatever thread calls.
pid_t sleeping_child() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::pause();
    ::_exit(0);
  }
  return pid;
}

void end(pid_t pid) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

TEST(ProcessTree, ChildrenOfEveryThreadAreFound) {
  const pid_t first = sleeping_child();
  pid_t second = 0;
  std::thread([&second] { second = sleeping_child(); }).join();
  const ProcessList list = descendants_of(::getpid(), kSecond);
  EXPECT_TRUE(contains(list, ::getpid()));
  EXPECT_TRUE(contains(list, first));
  EXPECT_TRUE(contains(list, second));
  EXPECT_EQ(list.problem, "");
  end(first);
  end(second);
}

TEST(ProcessTree, GrandchildrenAreFoundByParentsWhereThereAreNoChildrenFiles) {
  FakeTree tree;
  tree.put("10/status", "Name:\ta\nTgid:\t10\nPPid:\t1\n");
  tree.put("20/status", "Name:\tb\nTgid:\t20\nPPid:\t10\n");
  tree.put("30/status", "Name:\tc\nTgid:\t30\nPPid:\t20\n");
  tree.put("40/status", "Name:\td\nTgid:\t40\nPPid:\t1\n");
  const ProcessList list = descendants_of(10, kSecond, tree.root());
  EXPECT_EQ(list.tgids, (std::vector<pid_t>{10, 20, 30}));
  EXPECT_EQ(descendants_of(10, kSecond, tree.root(), {20}).tgids, std::vector<pid_t>{10});
}

TEST(ProcessTree, ANameThatLooksLikeAFieldIsNotTakenForOne) {
  FakeTree tree;
  tree.put("7/status", "Name:\tPPid:9\nTgid:\t7\nPPid:\t3\n");
  EXPECT_EQ(thread_group_of(7, tree.root()), 7);
  EXPECT_EQ(name_of_process(7, tree.root()), "PPid:9");
  EXPECT_EQ(thread_group_of(8, tree.root()), 0);
}

TEST(ProcessTree, OnlyWhoHasAFileOpenUsesTheMount) {
  FakeTree tree;
  tree.put("10/fdinfo/0", "pos:\t0\nflags:\t02\nmnt_id:\t21\n");
  tree.put("20/fdinfo/0", "pos:\t0\nflags:\t02\nmnt_id:\t210\n");
  tree.put("20/fdinfo/5", "pos:\t0\nflags:\t02\nmnt_id:\t33\n");
  EXPECT_EQ(users_of_mount(33, kSecond, tree.root()).tgids, std::vector<pid_t>{20});
  EXPECT_TRUE(users_of_mount(2, kSecond, tree.root()).tgids.empty());
}

TEST(ProcessTree, MembersOfOtherPidNamespacesAreSaid) {
  FakeTree tree;
  tree.put("group/cgroup.procs", "12\n0\n13\n");
  const auto list = members_of_cgroup(tree.root() + "/group");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->tgids, (std::vector<pid_t>{12, 13}));
  EXPECT_NE(list->problem, "");
  EXPECT_FALSE(members_of_cgroup(tree.root()));
}

}  // namespace
}  // namespace stallproof
