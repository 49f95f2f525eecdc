// SPDX-License-Identifier: Apache-2.0
// explain(): from a snapshot of who waits for what to the reason why it can never end.
// Pure and total: reads no clock and no file, never fails, any thread may call it; the same stall
// gives the same class and signature through every lens, the same snapshot the same bytes.
//
// How to read an Explanation:
// * An edge goes from the one that waits to what it waits for. A reader behind a queued writer has
//   two: to the lock, and to the first writer ahead of it, which is what keeps it out (rwsems are
//   fair: kernel/locking/rwsem.c rwsem_down_read_slowpath, 5.3 to 6.18; lib/rwsem.c before).
// * `cycle` lists node ids so that each waits for the next and the last for the first, beginning
//   with the task that holds the lock: holder, service, a thread of it, writer, lock. The signature
//   tells the same circle the other way round, as people do: holder, who queues behind it, and who
//   behind that one.
// * A service thread that queues for a lock has the role queued_reader (or queued_writer), so that
//   asking for the readers behind the writer finds it; that it serves is told by the served_by edge
//   that ends at it.
#pragma once

#include "harness/detect/catalogue.h"
#include "harness/explain/explanation.h"
#include "harness/explain/fs_knowledge.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

// `without`: what to leave out on purpose, of lock-contention and vma-lock.
Explanation explain(const LockSnapshot& snapshot, const FsKnowledge& knowledge,
                    DetectorSet without = 0);

}  // namespace stallproof
