// SPDX-License-Identifier: Apache-2.0
// The live view of the reported stall over FUSE, and what must change when one thing changes.
#include "harness/explain/explain.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/explain/crash_text.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

using namespace fixture;

Explanation explained(const LockSnapshot& snapshot) { return explain(snapshot, shipped()); }

TEST(Explain, ReportedStallOverFuseIsACycle) {
  const Explanation result = explained(reported_stall());
  EXPECT_EQ(result.stall_class, "mmap_lock_cycle");
  EXPECT_EQ(result.signature, "mmap_lock_cycle:fault_read>mprotect_write>service_read");
  ASSERT_TRUE(result.cycle);
  EXPECT_EQ(*result.cycle, (std::vector<std::string>{"task:101", "fuse:41", "task:201", "task:102",
                                                     "lock:mm:0xffff888100000000"}));
  EXPECT_EQ(result.root.holder, "task:101");
  EXPECT_EQ(result.root.first_writer, "task:102");
  EXPECT_EQ(result.root.lock, "lock:mm:0xffff888100000000");
  EXPECT_EQ(role(result, "task:101"), Role::holder);
  EXPECT_EQ(role(result, "task:102"), Role::queued_writer);
  EXPECT_EQ(role(result, "task:201"), Role::queued_reader);
  EXPECT_TRUE(has(result.advice, "echo 1 > /sys/fs/fuse/connections/41/abort")) << result.advice;
  EXPECT_TRUE(has(result.advice, "pid 100"));
}

TEST(Explain, EveryStepOfACycleIsAnEdge) {
  const Explanation result = explained(reported_stall());
  ASSERT_TRUE(result.cycle);
  for (std::size_t i = 0; i < result.cycle->size(); ++i)
    EXPECT_NE(edge(result, (*result.cycle)[i], (*result.cycle)[(i + 1) % result.cycle->size()]),
              nullptr)
        << i;
}

TEST(Explain, QueueAndRequestEdgesAreExactAndWhoServesIsInferred) {
  const Explanation result = explained(reported_stall());
  const std::string lock = result.root.lock;
  ASSERT_NE(edge(result, "task:102", lock), nullptr);
  EXPECT_EQ(edge(result, "task:102", lock)->certainty, Certainty::exact);
  EXPECT_EQ(edge(result, "task:102", lock)->mode, LockMode::write);
  EXPECT_EQ(edge(result, "task:201", "task:102")->certainty, Certainty::exact);
  EXPECT_EQ(edge(result, "task:101", "fuse:41")->certainty, Certainty::exact);
  EXPECT_EQ(edge(result, "fuse:41", "task:201")->certainty, Certainty::inferred);
  EXPECT_TRUE(
      has(edge(result, "fuse:41", "task:201")->evidence, "fuse.toml:3 service \"dataio_srv/*\""));
}

TEST(Explain, SameSnapshotGivesTheSameBytes) {
  EXPECT_EQ(render_json(explained(reported_stall())), render_json(explained(reported_stall())));
}

TEST(Explain, PoolWithOneFreeThreadIsNotADeadlock) {
  for (const char state : {'R', 'S', 'D'}) {
    LockSnapshot snapshot = reported_stall();
    snapshot.tasks.push_back(server({.tid = 203,
                                     .comm = "dataio_srv/2",
                                     .state = state,
                                     .stack = {"hrtimer_nanosleep", "__x64_sys_nanosleep"}}));
    const Explanation result = explained(snapshot);
    EXPECT_FALSE(result.cycle) << state;
    EXPECT_EQ(result.stall_class, "mmap_lock_held") << state;
    EXPECT_EQ(result.signature, "mmap_lock_held:fault_read>mprotect_write");
    EXPECT_TRUE(has(result.summary, "dataio_srv/2 203 could still answer")) << result.summary;
  }
}

TEST(Explain, IdleThreadOfBoundQueuesDoesNotSaveTheFault) {
  LockSnapshot snapshot = reported_stall();
  snapshot.tasks.push_back(
      server({.tid = 203, .comm = "dataio_srv/2", .state = 'S', .stack = service_idle()}));
  const Explanation result = explained(snapshot);
  ASSERT_TRUE(result.cycle);
  EXPECT_EQ(role(result, "task:203"), Role::idle_service);
  EXPECT_TRUE(has(node(result, "task:203")->note, "jobs are bound to threads (inferred"));
  EXPECT_TRUE(has(result.summary, "dataio_srv/2 203 is idle in futex_do_wait")) << result.summary;
}

TEST(Explain, IdleThreadNotKnownToHaveRefusedCountsAsFree) {
  for (const std::optional<Nanos> unchanged :
       {std::optional<Nanos>{}, std::optional<Nanos>{100 * kMillisecond}}) {
    LockSnapshot snapshot = reported_stall();
    snapshot.tasks.push_back(server({.tid = 203,
                                     .comm = "dataio_srv/2",
                                     .state = 'S',
                                     .stack = service_idle(),
                                     .unchanged = unchanged}));
    EXPECT_FALSE(explained(snapshot).cycle);
  }
}

TEST(Explain, IdleThreadMayStillTakeAYoungRequest) {
  LockSnapshot snapshot = reported_stall();
  snapshot.fuse = {connection({request(101, 15, 50 * kMillisecond)})};
  snapshot.tasks[0].unchanged_for = 50 * kMillisecond;
  snapshot.tasks.push_back(
      server({.tid = 203, .comm = "dataio_srv/2", .state = 'S', .stack = service_idle()}));
  EXPECT_FALSE(explained(snapshot).cycle);
}

TEST(Explain, IdleThreadsOfAPoolThatIsNotCaughtCountAsFree) {
  LockSnapshot snapshot = reported_stall();
  snapshot.tasks.push_back(
      server({.tid = 203, .comm = "pageio_srv/0", .state = 'S', .stack = service_idle()}));
  const Explanation result = explained(snapshot);
  EXPECT_FALSE(result.cycle);
  EXPECT_EQ(result.stall_class, "mmap_lock_held");
}

TEST(Explain, SplitPoolUnderLoadIsQuiet) {
  LockSnapshot snapshot = reported_stall();
  for (TaskRow& row : snapshot.tasks) row.unchanged_for = 3 * kMillisecond;
  snapshot.fuse = {connection({request(101, 15, 2 * kMillisecond)})};
  snapshot.tasks.push_back(server({.tid = 203,
                                   .comm = "pageio_srv/0",
                                   .state = 'S',
                                   .stack = service_idle(),
                                   .unchanged = kMillisecond}));
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.stall_class, "none");
  EXPECT_FALSE(result.cycle);
  EXPECT_TRUE(result.nodes.empty());
}

TEST(Explain, ReaderBehindWriterWaitsForTheWriter) {
  const Explanation result = explained(reported_stall());
  const ExplainedEdge* behind = edge(result, "task:202", "task:102");
  ASSERT_NE(behind, nullptr);
  EXPECT_EQ(behind->kind, EdgeKind::waits_for);
  EXPECT_EQ(behind->mode, LockMode::read);
}

TEST(Explain, ReaderWithoutWriterPasses) {
  LockSnapshot snapshot = reported_stall();
  snapshot.locks = {
      client_lock({read_holder(101)}, {waits(201, LockMode::read), waits(202, LockMode::read)})};
  const Explanation result = explained(snapshot);
  EXPECT_FALSE(result.cycle);
  EXPECT_EQ(result.root.first_writer, "");
}

TEST(Explain, ReaderAheadOfTheWriterPasses) {
  LockSnapshot snapshot = reported_stall();
  snapshot.locks = {client_lock(
      {read_holder(101)},
      {waits(201, LockMode::read), waits(102, LockMode::write), waits(202, LockMode::read)})};
  EXPECT_FALSE(explained(snapshot).cycle);
}

TEST(Explain, TwoReadHoldersAreBothNamed) {
  LockSnapshot snapshot = reported_stall();
  snapshot.tasks.push_back(faulter(103));
  snapshot.locks[0].holders.push_back(read_holder(103));
  snapshot.fuse = {connection({request(101, 15, 2 * kSecond), request(103, 15, 2 * kSecond)})};
  const Explanation result = explained(snapshot);
  ASSERT_TRUE(result.cycle);
  EXPECT_EQ(role(result, "task:101"), Role::holder);
  EXPECT_EQ(role(result, "task:103"), Role::holder);
  EXPECT_NE(edge(result, result.root.lock, "task:103"), nullptr);
  EXPECT_TRUE(has(result.summary, "load 103")) << result.summary;
}

TEST(Explain, SecondHolderIsFoundByItsStackWhenTheCountSaysThereAreTwo) {
  LockSnapshot snapshot = reported_stall();
  snapshot.tasks.push_back(faulter(103));
  snapshot.locks[0].reader_count = 2;
  snapshot.fuse = {connection({request(101, 15, 2 * kSecond), request(103, 15, 2 * kSecond)})};
  const ExplainedEdge* held = edge(explained(snapshot), "lock:mm:0xffff888100000000", "task:103");
  ASSERT_NE(held, nullptr);
}

TEST(Explain, WriterHeldLock) {
  LockSnapshot snapshot = reported_stall();
  snapshot.tasks[0] = client({.tid = 101,
                              .comm = "load",
                              .state = 'S',
                              .stack = {"request_wait_answer", "fuse_file_mmap", "__mmap_region",
                                        "do_mmap", "vm_mmap_pgoff"}});
  snapshot.locks = {client_lock({{.tid = 101,
                                  .mode = LockMode::write,
                                  .certainty = Certainty::exact,
                                  .evidence = "owner field"}},
                                {waits(201, LockMode::read), waits(202, LockMode::read)})};
  snapshot.locks[0].writer_holds = true;
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "mmap_lock_cycle:mmap_write>service_read");
  ASSERT_TRUE(result.cycle);
  EXPECT_EQ(edge(result, result.root.lock, "task:101")->certainty, Certainty::exact);
}

TEST(Explain, HandOverThreadDoesNotServe) {
  const Explanation result = explained(reported_stall());
  ASSERT_TRUE(result.cycle);
  ASSERT_NE(node(result, "task:200"), nullptr);
  EXPECT_TRUE(has(node(result, "task:200")->note, "hands over"));
}

TEST(Explain, HandOverThreadCanStillTakeAPendingRequest) {
  LockSnapshot snapshot = reported_stall();
  snapshot.fuse[0].requests[0].place = RequestPlace::pending;
  EXPECT_FALSE(explained(snapshot).cycle);
}

TEST(Explain, UnknownWaitIsNamed) {
  LockSnapshot snapshot;
  TaskRow row = client({.tid = 101, .comm = "load", .stack = {"brick_read", "vfs_read"}});
  row.stack[0].module = "brickfs";
  snapshot.tasks = {row};
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.stall_class, "unknown");
  EXPECT_EQ(node(result, "task:101")->note, "unknown wait: brick_read [brickfs]");
  EXPECT_TRUE(has(result.summary, "unknown wait: brick_read [brickfs]"));
  snapshot.tasks[0].state = 'S';
  EXPECT_EQ(explained(snapshot).stall_class, "none");
}

TEST(Explain, ServerWithoutAnAnswerIsStuckNotDeadlocked) {
  LockSnapshot snapshot = reported_stall();
  snapshot.locks.clear();
  snapshot.tasks.erase(snapshot.tasks.begin() + 1);
  for (TaskRow& row : snapshot.tasks)
    if (row.tgid == kServer) row.state = 'T';
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.stall_class, "fs_server_stuck");
  EXPECT_EQ(result.signature, "fs_server_stuck:request>service_stopped");
  EXPECT_FALSE(result.cycle);
}

TEST(Explain, StaleReaderHintIsNotBelieved) {
  LockSnapshot snapshot = reported_stall();
  snapshot.locks[0].holders = {{.tid = 201,
                                .mode = LockMode::read,
                                .certainty = Certainty::likely,
                                .evidence = "last owner"}};
  snapshot.tasks[0].fault->tried = false;
  const Explanation result = explained(snapshot);
  EXPECT_FALSE(result.cycle);
  EXPECT_EQ(result.root.holder, "");
  EXPECT_EQ(result.stall_class, "mmap_lock_held");
}

TEST(Explain, StaleHintGivesWayToTheFaultThatHolds) {
  LockSnapshot snapshot = reported_stall();
  snapshot.tasks.push_back(
      client({.tid = 104, .comm = "load", .state = 'S', .stack = {"do_nanosleep"}}));
  snapshot.locks[0].reader_count = 1;
  snapshot.locks[0].holders = {{.tid = 104,
                                .mode = LockMode::read,
                                .certainty = Certainty::likely,
                                .evidence = "last owner"}};
  const Explanation result = explained(snapshot);
  ASSERT_TRUE(result.cycle);
  EXPECT_EQ(result.root.holder, "task:101");
  EXPECT_EQ(node(result, "task:104"), nullptr);
}

TEST(Explain, LockNobodyHoldsHasNoInferredHolder) {
  LockSnapshot snapshot = reported_stall();
  snapshot.locks[0].holders.clear();
  snapshot.locks[0].reader_count = 0;
  snapshot.locks[0].writer_holds = false;
  EXPECT_FALSE(explained(snapshot).cycle);
}

TEST(Explain, RequestOfNobodyIsNoTask) {
  LockSnapshot snapshot = reported_stall();
  snapshot.fuse[0].requests.push_back(request(0, 16, kSecond));
  const Explanation result = explained(snapshot);
  EXPECT_EQ(node(result, "task:0x0"), nullptr);
  EXPECT_TRUE(result.cycle);
}

TEST(Explain, WaitersThatMovedBetweenTwoLooksAreNoStall) {
  LockSnapshot snapshot = reported_stall();
  snapshot.locks = {client_lock({}, {waits(102, LockMode::write)})};
  snapshot.fuse.clear();
  snapshot.tasks = {snapshot.tasks[1], snapshot.tasks[2]};
  snapshot.tasks[0].unchanged_for.reset();
  EXPECT_EQ(explained(snapshot).stall_class, "none");
  for (TaskRow& row : snapshot.tasks) row.unchanged_for.reset();
  EXPECT_EQ(explained(snapshot).stall_class, "mmap_lock_held");
}

TEST(Explain, FirstTryFaultHoldsNothing) {
  LockSnapshot snapshot = reported_stall();
  snapshot.locks[0].holders.clear();
  EXPECT_TRUE(explained(snapshot).cycle);
  snapshot.tasks[0].fault->tried = false;
  EXPECT_FALSE(explained(snapshot).cycle);
  snapshot.tasks[0].fault = FaultState{.vma_lock = true, .tried = true};
  EXPECT_FALSE(explained(snapshot).cycle);
}

TEST(Explain, FaultHandlerOfItsOwnHoldsTheLockOnTheFirstTry) {
  LockSnapshot snapshot = reported_stall();
  snapshot.locks[0].holders.clear();
  snapshot.tasks[0].fault->tried = false;
  std::erase_if(snapshot.tasks[0].stack,
                [](const StackFrame& frame) { return frame.function == "filemap_fault"; });
  EXPECT_TRUE(explained(snapshot).cycle);
}

TEST(Explain, StacksAloneGiveTheSameSignature) {
  LockSnapshot snapshot = reported_stall();
  snapshot.lens = LensKind::live_proc;
  snapshot.locks.clear();
  snapshot.fuse.clear();
  for (TaskRow& row : snapshot.tasks) {
    row.mm = 0;
    row.fault.reset();
  }
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, explained(reported_stall()).signature);
  ASSERT_TRUE(result.cycle);
  for (const ExplainedEdge& found : result.edges) EXPECT_EQ(found.certainty, Certainty::inferred);
}

// A crash core of a 6.x kernel with the FUSE stall in it: same names, plus the __sched frames.
TEST(Explain, CrashTextOfTheFuseStallGivesTheSameSignature) {
  std::string text;
  const auto add = [&text](int pid, const std::string& comm, std::vector<std::string> stack) {
    text += fmt::format("PID: {0}  TASK: ffff8880000{0:05}  CPU: 0  COMMAND: \"{1}\"\n", pid, comm);
    stack.insert(stack.begin(), {"__schedule", "schedule"});
    for (std::size_t i = 0; i < stack.size(); ++i)
      text += fmt::format(" #{} [ffffc90000{:02}00{:02x}] {} at ffffffff81000000\n", i, pid % 100,
                          i * 8, stack[i]);
  };
  const auto below = [](std::vector<std::string> slow_path, const std::vector<std::string>& stack) {
    slow_path.insert(slow_path.end(), stack.begin(), stack.end());
    return slow_path;
  };
  add(101, "load", second_try_fault());
  add(102, "load", below({"rwsem_down_write_slowpath", "down_write_killable"}, mprotect_wait()));
  add(201, "dataio_srv/0", below({"rwsem_down_read_slowpath", "down_read"}, service_wait()));
  add(202, "dataio_srv/1", service_idle());
  const CrashText parsed = parse_crash_text(text);
  for (const TextProblem& problem : parsed.problems) ADD_FAILURE() << problem.what;
  const Explanation result = explained(parsed.snapshot);
  EXPECT_EQ(result.signature, explained(reported_stall()).signature);
  EXPECT_EQ(role(result, "task:202"), Role::idle_service);
}

TEST(Explain, HolderThatWaitsForAPageOfAnotherTasksReadIsCaught) {
  LockSnapshot snapshot = reported_stall();
  snapshot.tasks[0].stack.erase(snapshot.tasks[0].stack.begin(),
                                snapshot.tasks[0].stack.begin() + 4);
  snapshot.tasks[0].stack.insert(snapshot.tasks[0].stack.begin(), {"folio_wait_bit_common", "", 0});
  snapshot.tasks.push_back(faulter(103));
  snapshot.tasks.back().fault->tried = false;
  snapshot.fuse = {connection({request(103, 15, 2 * kSecond)})};
  const Explanation result = explained(snapshot);
  ASSERT_TRUE(result.cycle) << result.summary;
  EXPECT_EQ(edge(result, "task:101", "fuse:41")->certainty, Certainty::inferred);
  EXPECT_EQ(role(result, "task:103"), Role::bystander);
  snapshot.fuse[0].requests[0].opcode = 39;
  EXPECT_FALSE(explained(snapshot).cycle);
}

TEST(Explain, MprotectAtWorkIsNoWaiter) {
  LockSnapshot snapshot = reported_stall();
  snapshot.lens = LensKind::live_proc;
  snapshot.locks.clear();
  snapshot.fuse.clear();
  snapshot.tasks[1].state = 'R';
  EXPECT_FALSE(explained(snapshot).cycle);
}

TEST(Explain, ServiceThatWaitsForItselfNeedsNoLock) {
  LockSnapshot snapshot;
  snapshot.tasks = {server({.tid = 201,
                            .comm = "dataio_srv/0",
                            .state = 'S',
                            .stack = {"request_wait_answer", "fuse_lookup_name"}})};
  snapshot.fuse = {connection({request(201, 1, 2 * kSecond)})};
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "fs_self_wait:service_request");
  ASSERT_TRUE(result.cycle);
}

TEST(Explain, EmptySnapshotIsNone) {
  const Explanation result = explained({});
  EXPECT_EQ(result.stall_class, "none");
  EXPECT_EQ(result.signature, "none");
}

}  // namespace
}  // namespace stallproof
