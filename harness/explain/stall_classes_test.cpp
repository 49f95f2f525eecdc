// SPDX-License-Identifier: Apache-2.0
// Each class that is told without a lock, and what must change for it not to be told.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/explain/explain.h"
#include "harness/explain/snapshot_fixture.h"
#include "harness/explain/stall_class.h"

namespace stallproof {
namespace {

using namespace fixture;

Explanation explained(const LockSnapshot& snapshot) { return explain(snapshot, shipped()); }

LockSnapshot of(std::vector<TaskRow> tasks) {
  LockSnapshot snapshot;
  snapshot.tasks = std::move(tasks);
  return snapshot;
}
std::string signature(std::vector<TaskRow> tasks) {
  return explained(of(std::move(tasks))).signature;
}
TaskRow sleeper(std::int32_t tid, std::vector<std::string> stack, char state = 'S') {
  return client({.tid = tid, .comm = "load", .state = state, .stack = std::move(stack)});
}
TaskRow server_thread() {
  return server({.tid = 200, .comm = "ffs", .state = 'S', .stack = hand_over()});
}

TEST(StallClasses, EveryNameIsListedOnceAndHasAMeaning) {
  std::vector<std::string_view> names;
  for (const StallClassRow& row : stall_classes()) {
    EXPECT_FALSE(row.meaning.empty()) << row.name;
    names.push_back(row.name);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  for (const std::string_view name :
       {kVmaLockHeld, kFsFrozen, kExecStuck, kFaultUnresolved, kDirLock, kDeviceStuck, kThrottled,
        kCpuStarved, kUserspace, kStopped, kFrozen})
    EXPECT_TRUE(std::binary_search(names.begin(), names.end(), name)) << name;
}

TaskRow waits_for_thaw() {
  return sleeper(101, {"percpu_rwsem_wait", "mnt_want_write", "filename_create"}, 'D');
}

TEST(FsFrozen, IsToldWithTheMountAndTheCommand) {
  LockSnapshot snapshot = of({waits_for_thaw()});
  EXPECT_EQ(explained(snapshot).signature, "fs_frozen:write>frozen_fs");
  snapshot.tasks[0].file_wait = FileWait{FileWait::How::freeze, 7, 3, 0};
  DeviceRow device;
  device.device_major = 7;
  device.device_minor = 3;
  device.mount_point = "/mnt/data";
  snapshot.devices = {device};
  const Explanation result = explained(snapshot);
  EXPECT_TRUE(has(result.advice, "fsfreeze -u /mnt/data")) << result.advice;
  ASSERT_NE(edge(result, "task:101", "fs:7:3"), nullptr);
  EXPECT_EQ(edge(result, "task:101", "fs:7:3")->certainty, Certainty::exact);
}

TEST(FsFrozen, WhatAnEarlierCallLeftOnTheStackIsNoFreeze) {
  LockSnapshot snapshot = of({sleeper(101, {"schedule", "do_epoll_wait"}, 'D')});
  snapshot.tasks[0].file_wait = FileWait{FileWait::How::freeze, 7, 3, 0};
  EXPECT_NE(explained(snapshot).stall_class, "fs_frozen");
  snapshot.tasks[0].stack.clear();
  EXPECT_EQ(explained(snapshot).stall_class, "fs_frozen");
}

TEST(FsFrozen, AnotherPerCpuSemaphoreIsNoFreeze) {
  EXPECT_EQ(signature({sleeper(101, {"percpu_rwsem_wait", "cgroup_procs_write_start"}, 'D')}),
            "unknown");
}

std::vector<std::string> exec_stack() {
  return {"request_wait_answer", "fuse_flush",      "filp_flush",  "do_close_on_exec",
          "begin_new_exec",      "load_elf_binary", "bprm_execve", "__x64_sys_execve"};
}

TEST(ExecStuck, WinsOverTheServiceItWaitsFor) {
  LockSnapshot snapshot = of({sleeper(101, exec_stack()), server_thread()});
  snapshot.fuse = {connection({request(101, 25, 2 * kSecond)})};
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "exec_stuck:exec>service_waiting") << result.summary;
  EXPECT_EQ(result.root.holder, "task:101");
}

TEST(ExecStuck, WaitingForItsOtherThreadsIsOneToo) {
  EXPECT_EQ(signature({sleeper(101, {"de_thread", "begin_new_exec", "load_elf_binary"}, 'D')}),
            "exec_stuck:exec>threads");
}

TEST(ExecStuck, BeforeThePointOfNoReturnItIsAnOrdinaryRequest) {
  LockSnapshot snapshot =
      of({sleeper(101, {"request_wait_answer", "fuse_readahead", "kernel_read", "bprm_execve"}),
          server_thread()});
  snapshot.fuse = {connection({request(101, 15, 2 * kSecond)})};
  EXPECT_EQ(explained(snapshot).stall_class, "fs_server_stuck");
}

TEST(FaultUnresolved, NamesTheFault) {
  const Explanation result =
      explained(of({sleeper(101, {"handle_userfault", "do_anonymous_page", "handle_mm_fault"})}));
  EXPECT_EQ(result.signature, "fault_unresolved:fault>userfaultfd");
  EXPECT_EQ(result.root.holder, "task:101");
}

TEST(FaultUnresolved, AFaultJustTakenIsOrdinaryWork) {
  TaskRow row = sleeper(101, {"handle_userfault", "handle_mm_fault"});
  row.unchanged_for = 20 * kMillisecond;
  EXPECT_EQ(signature({row}), "none");
}

TEST(FsSelfWait, AThreadThatAsksItsOwnConnectionIsACircleWithoutALock) {
  LockSnapshot snapshot =
      of({sleeper(101, {"request_wait_answer", "fuse_lookup"}),
          server({.tid = 200, .comm = "ffs", .state = 'S', .stack = {"request_wait_answer"}})});
  FuseRequest own = request(200, 1, 2 * kSecond);
  own.place = RequestPlace::pending;
  snapshot.fuse = {connection({request(101, 1, 2 * kSecond), own})};
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "fs_self_wait:service_request");
  EXPECT_EQ(result.root.holder, "task:200");

  snapshot.tasks.push_back(server({.tid = 201, .comm = "ffs", .state = 'S', .stack = hand_over()}));
  EXPECT_FALSE(explained(snapshot).cycle);  // it can still take what is pending
}

TEST(FsSelfWait, APageOfItsOwnMountIsOneToo) {
  LockSnapshot snapshot =
      of({sleeper(101, {"request_wait_answer", "fuse_readahead"}),
          server({.tid = 200, .comm = "ffs", .stack = {"folio_wait_bit_common", "filemap_read"}})});
  snapshot.tasks[1].file_wait = FileWait{FileWait::How::page, 0, 41, 2};
  snapshot.fuse = {connection({request(101, 15, 2 * kSecond)})};
  EXPECT_EQ(explained(snapshot).signature, "fs_self_wait:service_request");
}

DeviceRow loop_device() {
  DeviceRow device;
  device.name = "loop3";
  device.device_major = 7;
  device.device_minor = 3;
  device.reads_in_flight = 1;
  device.unchanged_for = kSecond;
  device.backing_file = "/mnt/fuse/disk";
  return device;
}
TaskRow direct_reader() {
  TaskRow row = sleeper(101, {"submit_bio_wait", "__blkdev_direct_IO_simple", "vfs_read"}, 'D');
  row.file_wait = FileWait{FileWait::How::file, 7, 3, 9};
  return row;
}

TEST(DeviceStuck, TheChainBehindALoopDeviceIsTold) {
  LockSnapshot snapshot = of({direct_reader(), server_thread()});
  TaskRow worker = task(300, 0,
                        {.tid = 300,
                         .comm = "kworker/u8:1+loop3",
                         .stack = {"filemap_get_pages", "lo_rw_aio", "loop_process_work"}});
  worker.kernel_thread = true;
  worker.file_wait = FileWait{FileWait::How::page, 0, 41, 2};
  snapshot.tasks.push_back(worker);
  snapshot.fuse = {connection({request(0, 15, 2 * kSecond)})};
  snapshot.devices = {loop_device()};
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "device_stuck:request>device>service_waiting") << result.summary;
  EXPECT_NE(edge(result, "task:101", "device:loop3"), nullptr);
  EXPECT_NE(edge(result, "device:loop3", "task:300"), nullptr);
  EXPECT_NE(edge(result, "task:300", "fuse:41"), nullptr);
  EXPECT_TRUE(has(result.summary, "/mnt/fuse/disk")) << result.summary;
}

TEST(DeviceStuck, ARingsWaiterInSIsEnough) {
  LockSnapshot snapshot = of({sleeper(101, {"io_cqring_wait", "__do_sys_io_uring_enter"})});
  snapshot.devices = {loop_device()};
  EXPECT_EQ(explained(snapshot).signature, "device_stuck:request>device");
}

TEST(DeviceStuck, ADeviceThatCompletesIsQuiet) {
  LockSnapshot snapshot = of({sleeper(101, {"io_cqring_wait", "__do_sys_io_uring_enter"})});
  snapshot.devices = {loop_device()};
  snapshot.devices[0].unchanged_for.reset();
  EXPECT_EQ(explained(snapshot).stall_class, "none");
}

TEST(DeviceStuck, ATaskOfAnotherDeviceDoesNotWaitForIt) {
  LockSnapshot snapshot = of({direct_reader()});
  snapshot.devices = {loop_device()};
  snapshot.devices[0].device_minor = 4;
  EXPECT_EQ(explained(snapshot).stall_class, "unknown");
}

TEST(Throttled, TheLimitIsNamed) {
  LockSnapshot snapshot = of({direct_reader()});
  snapshot.tasks[0].io_limit = "io.max 7:3 rbps=64 in /sys/fs/cgroup/slow";
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "throttled:request>io_limit");
  EXPECT_TRUE(has(result.summary, "rbps=64")) << result.summary;
}

TEST(Throttled, ALimitOfWhoDoesNotWaitForIoIsQuiet) {
  LockSnapshot snapshot = of({sleeper(101, {"hrtimer_nanosleep"})});
  snapshot.tasks[0].io_limit = "io.max 7:3 rbps=64 in /sys/fs/cgroup/slow";
  EXPECT_EQ(explained(snapshot).stall_class, "none");
}

TEST(Throttled, ABusyDeviceIsNotHeldBackByALimit) {
  LockSnapshot snapshot = of({direct_reader()});
  snapshot.tasks[0].io_limit = "io.max 7:3 rbps=64 in /sys/fs/cgroup/slow";
  snapshot.devices = {loop_device()};
  snapshot.devices[0].unchanged_for.reset();
  EXPECT_EQ(explained(snapshot).stall_class, "throttled");
  snapshot.devices[0].writes_in_flight = 30;
  EXPECT_EQ(explained(snapshot).stall_class, "unknown");
}

TaskRow runner(Nanos ran, Nanos waited) {
  TaskRow row = sleeper(101, {}, 'R');
  row.unchanged_for.reset();
  row.cpu = CpuShare{.span = 300 * kMillisecond, .ran = ran, .waited = waited};
  return row;
}

TEST(CpuStarved, ReadyAndNotRunIsToldWithTheQuota) {
  TaskRow row = runner(kMillisecond, 299 * kMillisecond);
  EXPECT_EQ(signature({row}), "cpu_starved:load>cpu");
  row.cpu_limit = "cpu.max 1000 100000 in /sys/fs/cgroup/slow (throttled 9 times)";
  EXPECT_EQ(signature({row}), "cpu_starved:load>cpu_quota");
}

TEST(CpuStarved, ATaskHeldBackByItsQuotaIsNotCountedAsWaiting) {
  TaskRow row = runner(5 * kMillisecond, 0);
  EXPECT_EQ(signature({row}), "none");
  row.cpu_throttled = true;
  EXPECT_EQ(signature({row}), "cpu_starved:load>cpu");
  row.cpu->ran = 100 * kMillisecond;
  EXPECT_EQ(signature({row}), "none");
}

TEST(CpuStarved, ABusyMachineSharesItsCpus) {
  EXPECT_EQ(signature({runner(60 * kMillisecond, 240 * kMillisecond)}), "none");
}

TEST(Halted, StoppedTracedAndFrozenAreToldApart) {
  TaskRow row = sleeper(101, {"do_signal_stop"}, 'T');
  row.halt = Halt::stopped;
  EXPECT_EQ(signature({row}), "stopped:load>signal");
  row.halt = Halt::traced;
  EXPECT_EQ(signature({row}), "stopped:load>tracer");
  row.halt = Halt::frozen;
  EXPECT_EQ(signature({row}), "frozen:load>freezer");
  row.state = 'D';  // the freezer of cgroup v1 shows it so
  EXPECT_EQ(signature({row}), "frozen:load>freezer");
}

TEST(Halted, AStoppedServerNobodyAsksIsNoStall) {
  TaskRow row = server({.tid = 200, .comm = "ffs", .state = 'T', .stack = {"do_signal_stop"}});
  row.halt = Halt::stopped;
  LockSnapshot snapshot = of({row});
  snapshot.fuse = {connection({})};
  EXPECT_EQ(explained(snapshot).stall_class, "none");
}

TEST(Userspace, ThreadsThatWaitForEachOtherAreToldLast) {
  const std::vector<TaskRow> tasks = {sleeper(101, service_idle()), sleeper(102, service_idle()),
                                      sleeper(100, {"do_sys_poll"})};
  EXPECT_EQ(signature(tasks), "userspace:load>futex");
}

TEST(Userspace, TheOnlyThreadThatDoesNotWaitIsLikelyTheHolder) {
  const Explanation result =
      explained(of({sleeper(101, service_idle()), sleeper(102, service_idle()),
                    sleeper(103, {"hrtimer_nanosleep"}), sleeper(kClient, {"do_sys_poll"})}));
  EXPECT_EQ(result.signature, "userspace:load>futex");
  EXPECT_EQ(result.root.holder, "task:103");
}

TEST(Userspace, ALoadThatSleepsByTheClockIsQuiet) {
  EXPECT_EQ(signature({sleeper(101, {"hrtimer_nanosleep"}), sleeper(102, {"hrtimer_nanosleep"}),
                       sleeper(100, service_idle())}),
            "none");
}

TEST(Text, ClassesAreToldFromNamesAloneWhereTheLensHasNoStates) {
  const auto told = [](std::vector<std::string> stack) {
    TaskRow row = sleeper(101, std::move(stack), '?');
    row.unchanged_for.reset();
    LockSnapshot snapshot = of({row});
    snapshot.lens = LensKind::crash_text;
    return explained(snapshot).signature;
  };
  EXPECT_EQ(told({"__schedule", "schedule", "percpu_rwsem_wait", "__percpu_down_read",
                  "mnt_want_write", "filename_create"}),
            "fs_frozen:write>frozen_fs");
  EXPECT_EQ(told({"__schedule", "schedule", "handle_userfault", "handle_mm_fault"}),
            "fault_unresolved:fault>userfaultfd");
  EXPECT_EQ(told({"__schedule", "schedule", "__vma_start_write", "do_mprotect_pkey"}),
            "vma_lock_held:unknown>mprotect_write");
  EXPECT_EQ(told({"__schedule", "schedule", "de_thread", "begin_new_exec"}),
            "exec_stuck:exec>threads");
  EXPECT_EQ(told({"__schedule", "schedule", "futex_wait_queue", "futex_wait"}), "none");
}

TEST(Quiet, TheParentOfAVforkInD) {
  EXPECT_EQ(signature({sleeper(101, {"kernel_clone", "__do_sys_vfork"}, 'D')}), "none");
}

}  // namespace
}  // namespace stallproof
