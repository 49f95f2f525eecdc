// SPDX-License-Identifier: Apache-2.0
// The /proc lens on a process whose mmap_lock is stuck: it must come back, with the stacks.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "harness/probe/proc_lens.h"
#include "harness/probe/testing/mmap_lock_trap.h"
#include "harness/probe/testing/stuck_fuse.h"

namespace stallproof {
namespace {

TEST(ProcLensKernel, StuckMmapLockIsReadWithoutWaitingForIt) {
  if (::geteuid() != 0 || ::access("/dev/fuse", R_OK | W_OK) != 0)
    GTEST_SKIP() << "needs root and /dev/fuse";
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  auto fuse = testing::StuckFuse::start(1);
  ASSERT_TRUE(fuse) << fuse.error().what;
  testing::MmapLockTrap trap(fuse->file());
  struct Heal {
    testing::StuckFuse& fuse;
    ~Heal() { fuse.heal(); }
  } heal{*fuse};
  auto probe = ProbeChild::start();
  ASSERT_TRUE(probe);
  ProcLensOptions options;
  options.probe = &*probe;
  ASSERT_TRUE(trap.start_faults());
  options.tgids = {trap.client()};
  const auto row_of = [](const LockSnapshot& snapshot, std::int32_t tid) -> const TaskRow* {
    for (const TaskRow& task : snapshot.tasks)
      if (task.tid == tid) return &task;
    return nullptr;
  };
  const auto stack_has = [](const TaskRow* task, std::string_view function) {
    if (task == nullptr) return false;
    for (const StackFrame& frame : task->stack)
      if (frame.function == function) return true;
    return false;
  };
  Result<LockSnapshot> snapshot = read_proc_lens(options);
  ASSERT_TRUE(testing::wait_for(3 * kSecond, [&] {
    snapshot = read_proc_lens(options);
    return snapshot && stack_has(row_of(*snapshot, trap.board().faulters[0]), "filemap_read_folio");
  }));
  ASSERT_TRUE(trap.start_writer());
  EXPECT_TRUE(testing::wait_for(3 * kSecond, [&] {
    snapshot = read_proc_lens(options);
    const TaskRow* writer = snapshot ? row_of(*snapshot, trap.board().writer) : nullptr;
    return writer != nullptr && writer->state == 'D' && stack_has(writer, "do_mprotect_pkey");
  }));
  EXPECT_EQ(probe->timeouts(), 0U);
  EXPECT_TRUE(snapshot->locks.empty());
}

}  // namespace
}  // namespace stallproof
