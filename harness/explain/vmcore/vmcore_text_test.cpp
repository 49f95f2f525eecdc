// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/vmcore_text.h"

#include <gtest/gtest.h>

#include "harness/explain/crash_text.h"

namespace stallproof {
namespace {

DumpedTask task(std::int32_t pid, const std::string& comm, std::uint32_t state) {
  DumpedTask out;
  out.pid = out.tgid = pid;
  out.address = 0xffff888100000000ULL + static_cast<std::uint64_t>(pid) * 0x1000;
  out.comm = comm;
  out.state = state;
  out.cpu = 1;
  out.mm = 0xffff888200000000ULL;
  return out;
}

Vmcore made() {
  Vmcore dump;
  dump.symbols = KernelSymbols::from_functions(
      {{0xffffffff81000000ULL, "down_read", {}}, {0xffffffffc0000000ULL, "ffs_fault", "ffs_stub"}},
      "6.1.0");
  dump.tasks = {task(107, "java", 2), task(108, "java-mprot", 0x102)};
  dump.stacks.resize(2);
  dump.stacks[0].frames = {{0xffffffff81000010ULL, 0xffffb00000003e00ULL},
                           {0xffffffffc0000010ULL, 0xffffb00000003e40ULL}};
  dump.stacks[1].frames = {{0xffffffff81000010ULL, 0xffffb00000007e00ULL}};
  DumpedLock lock;
  lock.address = 0xffff888200000070ULL;
  lock.mm = 0xffff888200000000ULL;
  lock.head = lock.address + 24;
  lock.queue = {{0xffffb00000007e80ULL, dump.tasks[1].address, LockMode::write},
                {0xffffb00000003e80ULL, dump.tasks[0].address, LockMode::read}};
  dump.locks = {lock};
  return dump;
}

TEST(VmcoreText, CrashTextLensReadsItBack) {
  const Vmcore dump = made();
  const CrashText read = parse_crash_text(bt_text(dump) + waiters_text(dump));
  EXPECT_TRUE(read.complete) << (read.problems.empty() ? "" : read.problems[0].what);
  ASSERT_EQ(read.snapshot.tasks.size(), 2U);
  EXPECT_EQ(read.snapshot.tasks[0].comm, "java");
  ASSERT_EQ(read.snapshot.tasks[0].stack.size(), 2U);
  EXPECT_EQ(read.snapshot.tasks[0].stack[0].function, "down_read");
  EXPECT_EQ(read.snapshot.tasks[0].stack[1].module, "ffs_stub");
  ASSERT_EQ(read.snapshot.locks.size(), 1U);
  ASSERT_EQ(read.snapshot.locks[0].waiters.size(), 2U);
  EXPECT_EQ(read.snapshot.locks[0].waiters[0].task_address, dump.tasks[1].address);
  EXPECT_EQ(read.snapshot.locks[0].waiters[0].mode, LockMode::write);
  EXPECT_EQ(read.snapshot.locks[0].waiters[1].mode, LockMode::read);
}

TEST(VmcoreText, ReadBackTheSameTasksPlayTheSameParts) {
  Vmcore dump = made();
  dump.tasks.push_back(task(109, "java-fault", 2));
  dump.tasks.push_back(task(110, "other", 2));
  dump.tasks[3].mm += 0x1000;
  for (DumpedTask& each : dump.tasks) each.tgid = each.comm == "other" ? 110 : 107;
  dump.stacks.resize(4);
  dump.locks[0].count = 0x102;
  LockRow row;
  row.address = dump.locks[0].address;
  row.tgid = 107;
  row.reader_count = 1;
  row.writer_holds = false;
  dump.snapshot.locks = {row};
  const CrashText read = parse_crash_text(bt_text(dump) + waiters_text(dump));
  ASSERT_EQ(read.snapshot.tasks.size(), 4U);
  EXPECT_EQ(read.snapshot.tasks[2].tgid, 107);
  EXPECT_EQ(read.snapshot.tasks[3].tgid, 110);
  ASSERT_EQ(read.snapshot.locks.size(), 1U);
  EXPECT_EQ(read.snapshot.locks[0].kind, LockKind::mmap_lock);
  EXPECT_EQ(read.snapshot.locks[0].address, dump.locks[0].address);
  EXPECT_EQ(read.snapshot.locks[0].tgid, 107);
  EXPECT_EQ(read.snapshot.locks[0].reader_count, 1U);
}

TEST(VmcoreText, TasksAreOneLineEachWithTheirState) {
  Vmcore dump = made();
  dump.tasks[0].comm = "a\033[31m\"b";
  const std::string text = tasks_text(dump);
  EXPECT_NE(text.find("107 "), std::string::npos);
  EXPECT_NE(text.find("UN"), std::string::npos);
  EXPECT_EQ(text.find('\033'), std::string::npos);
}

TEST(VmcoreText, SizesThatAreNotKnownAreDashes) {
  Vmcore dump = made();
  dump.total_pages = 1000;
  dump.tasks[0].total_vm = 25;
  dump.tasks[0].resident = 15;
  const std::string text = tasks_text(dump);
  EXPECT_NE(text.find("UN   1.5       100       60  java\n"), std::string::npos) << text;
  EXPECT_NE(text.find("UN     -         0        -  java-mprot\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace stallproof
