// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/decode_lock.h"

#include <fmt/core.h>

#include <algorithm>

namespace stallproof {
namespace {

constexpr std::uint64_t kWriterLocked = 1;
constexpr std::uint64_t kWaiters = 2;
constexpr std::uint64_t kReadFail = 1ULL << 63U;
constexpr unsigned kReaderShift = 8;
constexpr std::uint64_t kReaderOwned = 1;
constexpr std::uint64_t kOwnerFlags = 7;

// Everything the scan saw beside the lock itself.
struct Evidence {
  const ScanRecords& records;
  const std::vector<DecodedTask>& tasks;
};

std::string count_text(const ScanLock& record, const LockRow& row) {
  std::string held = "nobody";
  if (*row.writer_holds) held = "a writer";
  if (*row.reader_count > 0)
    held = fmt::format("{} reader{}", *row.reader_count, *row.reader_count == 1 ? "" : "s");
  return fmt::format("rwsem count 0x{:x}: {}{}", record.count, held,
                     (record.count & kWaiters) != 0 ? ", waiters queued" : "");
}

std::string lock_name(const ScanLock& record) {
  if (record.mm != 0) return fmt::format("mmap_lock of process {}", record.tgid);
  return fmt::format("{} 0x{:x}", record.type == SCAN_MUTEX ? "mutex" : "rwsem", record.lock);
}

bool is_waiting(const LockRow& row, std::uint64_t task) {
  return std::any_of(row.waiters.begin(), row.waiters.end(),
                     [task](const LockWaiter& waiter) { return waiter.task_address == task; });
}

bool is_holder(const LockRow& row, std::int32_t tid) {
  return std::any_of(row.holders.begin(), row.holders.end(),
                     [tid](const LockHolder& holder) { return holder.tid == tid; });
}

// Asleep in a fault on this mm, under mmap_lock when the fault began.
bool faults_under(const DecodedTask& task, const LockRow& row) {
  return task.fault && task.fault->mm == row.mm && !task.fault->state.vma_lock &&
         task.fault->waits && task.row.state != 'R' && !is_waiting(row, task.row.task_address) &&
         !has_frame(task.row, "handle_userfault");
}

void add_fault_holders(const std::vector<DecodedTask>& tasks, LockRow& row) {
  if (row.mm == 0 || *row.reader_count == 0) return;
  for (const DecodedTask& task : tasks) {
    if (!faults_under(task, row) || task.fault->may_drop_lock || task.fault->state.mkwrite)
      continue;
    row.holders.push_back(
        {task.row.tid, LockMode::read, Certainty::exact,
         fmt::format("vm_fault on its stack at 0x{:x}: {}, no VMA lock", task.fault->state.address,
                     task.fault->state.tried ? "second try" : "no retry allowed")});
  }
}

// A first try may hold the lock too, where its file system's fault function never gives it up.
// filemap_fault and __folio_lock_or_retry do before they wait.
void add_possible_holders(const std::vector<DecodedTask>& tasks, LockRow& row) {
  for (const DecodedTask& task : tasks) {
    if (!faults_under(task, row) || is_holder(row, task.row.tid)) continue;
    if (!task.fault->may_drop_lock && !task.fault->state.mkwrite) continue;
    if (has_frame(task.row, "filemap_fault") || has_frame(task.row, "__folio_lock_or_retry"))
      continue;
    row.holders.push_back(
        {task.row.tid, LockMode::read, Certainty::inferred,
         task.fault->state.mkwrite
             ? "vm_fault on its stack: in page_mkwrite, which keeps the lock it was called with"
             : "vm_fault on its stack: first try, in a fault function that may keep mmap_lock"});
  }
}

void add_owner(const ScanLock& record, const ScanRecords& records, LockRow& row,
               std::vector<std::string>& blind_spots) {
  const std::uint64_t owner = record.owner & ~kOwnerFlags;
  if (owner == 0) return;
  const bool reader = (record.owner & kReaderOwned) != 0;
  if (reader == *row.writer_holds) return;  // the word is older than the count
  if (is_holder(row, record.owner_tid) || is_waiting(row, owner)) return;
  const bool cut = (records.begin.notes & (SCAN_NOTE_BUFFER_FULL | SCAN_NOTE_INCOMPLETE)) != 0;
  if (records.find_task(owner) == nullptr && !cut) {
    blind_spots.push_back(
        fmt::format("{}: its owner word names a task that no longer exists (pid {} once)",
                    lock_name(record), record.owner_tid));
    return;
  }
  row.holders.push_back(
      {record.owner_tid, reader ? LockMode::read : LockMode::write,
       reader ? Certainty::likely : Certainty::exact,
       fmt::format("{}; owner word 0x{:x}{}", count_text(record, row), record.owner,
                   reader ? " names the last reader to come" : "")});
}

void compare_readers(const ScanLock& record, const LockRow& row,
                     std::vector<std::string>& blind_spots) {
  if (*row.reader_count == 0) return;
  const auto exact = static_cast<std::uint32_t>(
      std::count_if(row.holders.begin(), row.holders.end(),
                    [](const LockHolder& holder) { return holder.certainty == Certainty::exact; }));
  if (exact == *row.reader_count) return;
  blind_spots.push_back(fmt::format("{}: {} reader{} in its count, {} identified for certain",
                                    lock_name(record), *row.reader_count,
                                    *row.reader_count == 1 ? "" : "s", exact));
}

void add_queue(const ScanLock& record, const ScanRecords& records, LockRow& row) {
  row.queue_known = (record.flags & SCAN_LOCK_TORN) == 0;
  row.queue_truncated = (record.flags & SCAN_LOCK_CUT) != 0;
  for (const ScanWaiter& waiter : records.waiters) {
    if (waiter.lock != record.lock) continue;
    row.waiters.push_back({.tid = waiter.tid,
                           .task_address = waiter.task,
                           .mode = waiter.reader != 0 ? LockMode::read : LockMode::write});
  }
  if (row.waiters.size() < record.waiters) row.queue_truncated = true;
}

LockRow decode_rwsem(const ScanLock& record, LockRow row, const Evidence& evidence,
                     std::vector<std::string>& blind_spots) {
  row.count = record.count;
  row.writer_holds = (record.count & kWriterLocked) != 0;
  row.reader_count = *row.writer_holds
                         ? 0
                         : static_cast<std::uint32_t>((record.count & ~kReadFail) >> kReaderShift);
  add_fault_holders(evidence.tasks, row);
  const bool all_found = *row.reader_count > 0 && row.holders.size() >= *row.reader_count;
  if (!all_found) add_owner(record, evidence.records, row, blind_spots);
  if (row.holders.size() < *row.reader_count) add_possible_holders(evidence.tasks, row);
  compare_readers(record, row, blind_spots);
  return row;
}

// A mutex always knows its owner (kernel/locking/mutex.c; low bits are flags).
void decode_mutex(const ScanLock& record, LockRow& row) {
  row.kind = LockKind::mutex;
  row.writer_holds = (record.owner & ~kOwnerFlags) != 0;
  if (*row.writer_holds)
    row.holders.push_back({record.owner_tid, LockMode::write, Certainty::exact,
                           fmt::format("mutex owner word 0x{:x}", record.owner)});
}

}  // namespace

LockRow decode_lock(const ScanLock& record, const ScanRecords& records,
                    const std::vector<DecodedTask>& tasks, std::vector<std::string>& blind_spots) {
  LockRow row;
  row.kind = record.mm == 0 ? LockKind::rwsem : LockKind::mmap_lock;
  row.address = record.lock;
  row.mm = record.mm;
  row.tgid = record.tgid;
  add_queue(record, records, row);
  if (record.type == SCAN_MUTEX)
    decode_mutex(record, row);
  else
    row = decode_rwsem(record, std::move(row), {records, tasks}, blind_spots);
  if ((record.flags & SCAN_LOCK_TORN) != 0)
    blind_spots.push_back(lock_name(record) + ": its queue changed while it was read");
  if (row.queue_truncated)
    blind_spots.push_back(fmt::format("{}: only the first {} of its queue were read",
                                      lock_name(record), row.waiters.size()));
  return row;
}

}  // namespace stallproof
