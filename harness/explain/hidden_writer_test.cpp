// SPDX-License-Identifier: Apache-2.0
// Stacks alone do not say how madvise takes the lock: who queues beside it does.
#include <gtest/gtest.h>

#include "harness/explain/explain.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

using namespace fixture;

Explanation explained(const LockSnapshot& snapshot) { return explain(snapshot, shipped()); }

LockSnapshot stacks_with_madvise(bool beside_a_writer) {
  LockSnapshot snapshot = reported_stall();
  snapshot.lens = LensKind::live_proc;
  snapshot.locks.clear();
  snapshot.fuse.clear();
  snapshot.tasks[0].fault.reset();
  const TaskRow madvise =
      client({.tid = 103, .comm = "load", .stack = {"madvise_lock", "do_madvise"}});
  if (!beside_a_writer) snapshot.tasks.erase(snapshot.tasks.begin() + 1);
  snapshot.tasks.push_back(madvise);
  return snapshot;
}

TEST(Explain, MadviseIsTheWriterWhereNobodyElseCanBe) {
  const Explanation result = explained(stacks_with_madvise(false));
  EXPECT_TRUE(result.cycle);
  EXPECT_EQ(result.signature, "mmap_lock_cycle:fault_read>madvise_write>service_read");
}

TEST(Explain, MadviseBesideAWriterIsAReader) {
  EXPECT_EQ(explained(stacks_with_madvise(true)).signature, explained(reported_stall()).signature);
}

}  // namespace
}  // namespace stallproof
