// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/crash_text.h"

#include <gtest/gtest.h>

#include "harness/base/prng.h"
#include "harness/explain/crash_line.h"

namespace stallproof {
namespace {

constexpr const char* kTask = "PID: 7  TASK: ffff8b91992e3f40  CPU: 1  COMMAND: \"a [b] c\"\n";

TEST(CrashLine, CommMayHoldSpacesAndBrackets) {
  const auto line =
      parse_task_line("PID: 7 TASK: ffff8b91992e3f40 CPU: 1 COMMAND: \"a \"[b]\" c\"");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->comm, "a \"[b]\" c");
  EXPECT_EQ(line->pid, 7);
  EXPECT_EQ(line->task, 0xffff8b91992e3f40U);
}

TEST(CrashLine, FrameWithModuleAndOffset) {
  const auto line =
      parse_frame_line(" #3 [ffff8b91efd5b948] brk_wait+0x42 at ffffffffc06c107c [brick]");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->frame.function, "brk_wait");
  EXPECT_EQ(line->frame.module, "brick");
  EXPECT_EQ(line->number, 3U);
  EXPECT_FALSE(parse_frame_line("#3 [ffff8b91efd5b948] brk_wait"));
  EXPECT_FALSE(parse_frame_line("#x [ffff8b91efd5b948] f at ffffffffc06c107c"));
}

TEST(CrashLine, FrameOf32BitArm) {
  const auto line = parse_frame_line("#2 [<c0a1f018>] (down_read+0x10) from [<c013c570>]");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->frame.function, "down_read");
  EXPECT_EQ(line->frame.address, 0xc0a1f018U);
  EXPECT_EQ(line->number, 2U);
  EXPECT_FALSE(parse_frame_line("#2 [<c0a1f018>] (down_read)"));
  EXPECT_FALSE(parse_frame_line("#2 [<c0a1f018>] down_read from [<c013c570>]"));
  EXPECT_FALSE(parse_frame_line("#2 [<c0z>] (down_read) from [<c013c570>]"));
  EXPECT_FALSE(parse_frame_line("#2 [<>] (f) from"));
}

TEST(CrashLine, NotesThatWeAddToCrashsForm) {
  EXPECT_EQ(parse_process_note("// process 115"), 115);
  EXPECT_FALSE(parse_process_note("// process x"));
  EXPECT_FALSE(parse_process_note("// java 115"));
  const auto lock = parse_lock_note(
      "// mmap_lock 0xff3d8590426d9ff0 of process 115, count 0x102: 1 reader holds it, 21 queue");
  ASSERT_TRUE(lock);
  EXPECT_EQ(lock->kind, LockKind::mmap_lock);
  EXPECT_EQ(lock->address, 0xff3d8590426d9ff0U);
  EXPECT_EQ(lock->tgid, 115);
  EXPECT_EQ(lock->count, 0x102U);
  const auto plain = parse_lock_note("// rwsem 0xffff888100000000, 2 queue");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->tgid, 0);
  EXPECT_FALSE(plain->count);
  EXPECT_FALSE(parse_lock_note("// mutex 0xffff888100000000, 2 queue"));
  EXPECT_FALSE(parse_lock_note("// java-fault 126"));
}

TEST(CrashLine, PromptsOfAnyShape) {
  EXPECT_EQ(parse_prompt("crash> bt 1"), "bt 1");
  EXPECT_EQ(parse_prompt("crash-8.0.4> list x"), "list x");
  EXPECT_EQ(parse_prompt("[root@node]# bt"), "bt");
  EXPECT_EQ(parse_prompt("crash>"), "");
  EXPECT_FALSE(parse_prompt("#0 [ffff] schedule at ffff"));
  EXPECT_FALSE(parse_prompt("--- <IRQ stack> ---"));
}

TEST(CrashText, RegistersAndMarksOfAnActiveTaskAreUnderstood) {
  const CrashText text = parse_crash_text(
      std::string{kTask} +
      " #0 [fffffe0000010e50] crash_nmi_callback at ffffffff8105a2b7\n"
      "    [exception RIP: native_queued_spin_lock_slowpath+0x1f]\n"
      "    RIP: ffffffff810f7e8f  RSP: ffffc90000003e88  RFLAGS: 00000002\n"
      "    RAX: 0000000000000000  RBX: 0000000000000000  RCX: 0000000000000000\n"
      "--- <NMI exception stack> ---\n"
      " #1 [ffffc90000003e88] native_queued_spin_lock_slowpath at ffffffff810f7e8f\n"
      "    ffffc90000003e90: 0000000000000000 ffffffff810f7e8f\n"
      "    /usr/src/kernel/lock.c: 210\n");
  for (const TextProblem& problem : text.problems) ADD_FAILURE() << problem.line << problem.what;
  EXPECT_TRUE(text.complete);
  ASSERT_EQ(text.snapshot.tasks.size(), 1U);
  EXPECT_EQ(text.snapshot.tasks[0].stack.size(), 2U);
}

TEST(CrashText, ActiveTaskRuns) {
  const CrashText text = parse_crash_text(std::string{kTask} + "(active)\n");
  EXPECT_TRUE(text.complete);
  EXPECT_EQ(text.snapshot.tasks.at(0).state, 'R');
}

TEST(CrashText, StructFormOfTheListIsRead) {
  const CrashText text = parse_crash_text(
      "crash> list rwsem_waiter.list -s rwsem_waiter -h ffff8b92ab737e20\n"
      "ffff8b92ab737e20\n"
      "struct rwsem_waiter {\n"
      "  list = {\n"
      "    next = 0xffff8b9350eab7e0,\n"
      "    prev = 0xffff8b9350eab7e0\n"
      "  },\n"
      "  task = 0xffff8b93cdcf8000,\n"
      "  type = RWSEM_WAITING_FOR_WRITE,\n"
      "  timeout = 4295\n"
      "}\n");
  for (const TextProblem& problem : text.problems) ADD_FAILURE() << problem.line << problem.what;
  ASSERT_EQ(text.snapshot.locks.size(), 1U);
  ASSERT_EQ(text.snapshot.locks[0].waiters.size(), 1U);
  EXPECT_EQ(text.snapshot.locks[0].waiters[0].mode, LockMode::write);
  EXPECT_EQ(text.snapshot.locks[0].address, 0U);
}

TEST(CrashText, HeadOfTheListTellsWhereTheQueueBegins) {
  const CrashText text = parse_crash_text(
      "ffff8b9350eab7e0\ntask = 0xffff8b93f673bf40\ntype = RWSEM_WAITING_FOR_READ\n"
      "ffff8b91000000c8\ntask = 0xffff8b9100000100\ntype = 2467218\n"
      "ffff8b92ab737e20\ntask = 0xffff8b93cdcf8000\ntype = RWSEM_WAITING_FOR_WRITE\n");
  EXPECT_TRUE(text.complete);
  ASSERT_EQ(text.snapshot.locks.size(), 1U);
  ASSERT_EQ(text.snapshot.locks[0].waiters.size(), 2U);
  EXPECT_EQ(text.snapshot.locks[0].waiters[0].mode, LockMode::write);
}

TEST(CrashText, WaiterWithoutTypeIsAProblemAndTheRestIsKept) {
  const CrashText text = parse_crash_text(
      "ffff8b92ab737e20\ntask = 0xffff8b93cdcf8000\ntype = RWSEM_WAITING_FOR_WRITE\n"
      "ffff8b9350eab7e0\ntask = 0xffff8b93f673bf40\n");
  EXPECT_FALSE(text.complete);
  ASSERT_EQ(text.problems.size(), 1U);
  EXPECT_EQ(text.problems[0].line, 4U);
  EXPECT_EQ(text.snapshot.locks.at(0).waiters.size(), 1U);
  EXPECT_TRUE(text.snapshot.locks[0].queue_truncated);
}

TEST(CrashText, OutputOfOtherCommandsIsOneProblemNotAThousand) {
  const CrashText text = parse_crash_text(
      "crash> ps\n   PID    PPID  CPU   TASK   ST  %MEM\n  0  0  0  ffffffff  RU  0.0\nmore\n"
      "crash> bt 7\n" +
      std::string{kTask} + "#0 [ffff8b91efd5b768] schedule at ffffffffb91128d4\n");
  ASSERT_EQ(text.problems.size(), 1U);
  EXPECT_EQ(text.problems[0].line, 1U);
  EXPECT_EQ(text.snapshot.tasks.size(), 1U);
}

TEST(CrashText, MissingFramesAreNoticed) {
  const CrashText text = parse_crash_text(std::string{kTask} +
                                          "#0 [ffff8b91efd5b768] schedule at ffffffffb91128d4\n"
                                          "#2 [ffff8b91efd5b808] f at ffffffffc06bf512\n");
  ASSERT_EQ(text.problems.size(), 1U);
  EXPECT_EQ(text.problems[0].line, 3U);
}

TEST(CrashText, EmptyTextIsNotComplete) {
  EXPECT_FALSE(parse_crash_text("").complete);
  EXPECT_FALSE(parse_crash_text("\n\r\n").complete);
}

TEST(CrashText, BinaryGarbageIsRefusedWithoutFlood) {
  Prng random(3);
  std::string garbage;
  for (int i = 0; i < 200'000; ++i) garbage += static_cast<char>(random.below(256));
  const CrashText text = parse_crash_text(garbage);
  EXPECT_FALSE(text.complete);
  EXPECT_LE(text.problems.size(), 201U);
  for (const TextProblem& problem : text.problems)
    for (const char c : problem.what) EXPECT_TRUE(c >= ' ' && c < 127);
}

}  // namespace
}  // namespace stallproof
