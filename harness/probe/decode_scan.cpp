// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/decode_scan.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>

#include "harness/probe/decode_lock.h"
#include "harness/probe/decode_task.h"
#include "harness/probe/scan_records.h"

namespace stallproof {
namespace {

// What an earlier scan says about tasks and requests, by their identity.
class Earlier {
 public:
  Earlier(const ScanBefore* before, const ScanBegin& now) {
    if (before == nullptr) return;
    const ScanRecords records = ScanRecords::parse(before->bytes);
    if (now.taken_ns < records.begin.taken_ns + kScanGap || records.begin.taken_ns == 0) return;
    span_ = now.taken_ns - records.begin.taken_ns;
    for (const ScanTask& task : records.tasks)
      if (task.moved == 0) tasks_.emplace(task.task, task);
    for (const ScanRequest& request : records.requests)
      requests_.emplace(request.request, request.unique);
  }

  [[nodiscard]] std::optional<Nanos> unchanged(const ScanTask& now) const {
    const auto then = tasks_.find(now.task);
    if (then == tasks_.end() || now.moved != 0 || now.state == 0) return std::nullopt;
    const ScanTask& old = then->second;
    if (old.tid != now.tid || old.switches != now.switches || old.state == 0) return std::nullopt;
    return span_;
  }
  // It ran some of the time or none. Who never gave the CPU up of his own accord wanted it all the
  // time; else only what the scheduler has counted is known.
  [[nodiscard]] std::optional<CpuShare> cpu(const ScanTask& now) const {
    const auto then = tasks_.find(now.task);
    if (then == tasks_.end() || then->second.tid != now.tid || now.ran_ns == 0) return std::nullopt;
    const ScanTask& old = then->second;
    if (now.ran_ns < old.ran_ns || now.delay_ns < old.delay_ns) return std::nullopt;
    CpuShare share{.span = span_, .ran = now.ran_ns - old.ran_ns, .waited = 0};
    const bool never_slept = old.state == 0 && now.state == 0 && old.voluntary == now.voluntary;
    const Nanos not_run = span_ > share.ran ? span_ - share.ran : 0;
    share.waited = never_slept ? not_run : std::min<Nanos>(now.delay_ns - old.delay_ns, not_run);
    return share;
  }
  // `unique` is 0 until a background request is queued, and then proves nothing.
  [[nodiscard]] std::optional<Nanos> age(const ScanRequest& now) const {
    const auto then = requests_.find(now.request);
    if (then == requests_.end() || now.unique == 0 || then->second != now.unique)
      return std::nullopt;
    return span_;
  }

 private:
  Nanos span_ = 0;
  std::unordered_map<std::uint64_t, ScanTask> tasks_;
  std::unordered_map<std::uint64_t, std::uint64_t> requests_;
};

std::optional<Nanos> request_age(const ScanRequest& request, const ScanBegin& begin,
                                 const Earlier& earlier) {
  if (request.create_time != 0 && begin.hz != 0 && begin.jiffies >= request.create_time)
    return (begin.jiffies - request.create_time) * (kSecond / begin.hz);
  return earlier.age(request);
}

FuseConnection& connection_of(std::map<std::uint32_t, FuseConnection>& all, std::uint32_t number) {
  FuseConnection& connection = all[number];
  connection.number = number;
  return connection;
}

void decode_fuse(const ScanRecords& records, const Earlier& earlier, LockSnapshot& snapshot) {
  std::map<std::uint32_t, FuseConnection> all;
  std::map<std::uint32_t, std::uint32_t> flags;
  for (const ScanConnection& record : records.connections) {
    FuseConnection& connection = connection_of(all, record.number);
    connection.waiting = std::max(connection.waiting, record.waiting);
    auto& servers = connection.server_tgids;
    if (std::find(servers.begin(), servers.end(), record.server_tgid) == servers.end())
      servers.push_back(record.server_tgid);
    flags[record.number] |= record.flags;
  }
  for (const ScanRequest& record : records.requests) {
    const bool foreign = (flags[record.number] & SCAN_CONN_PID_NS) != 0;
    connection_of(all, record.number)
        .requests.push_back(
            {.unique = record.unique,
             .opcode = record.opcode,
             .client_tid = foreign ? 0 : record.client,
             .place = record.processing != 0 ? RequestPlace::processing : RequestPlace::pending,
             .age = request_age(record, records.begin, earlier)});
  }
  for (auto& entry : all) {
    const std::uint32_t bits = flags[entry.first];
    const auto say = [&](const char* what) {
      snapshot.blind_spots.push_back(fmt::format("FUSE connection {}: {}", entry.first, what));
    };
    entry.second.requests_truncated = (bits & SCAN_CONN_CUT) != 0;
    if ((bits & SCAN_CONN_CUT) != 0) say("only its first 512 requests were read");
    if ((bits & SCAN_CONN_RING) != 0) say("requests handed over by io_uring are not seen");
    if ((bits & SCAN_CONN_PID_NS) != 0) say("its clients' thread ids belong to another namespace");
    if ((bits & SCAN_CONN_TORN) != 0) say("a list of its requests changed while it was read");
    snapshot.fuse.push_back(std::move(entry.second));
  }
}

void note_blind_spots(const ScanRecords& records, LockSnapshot& snapshot) {
  auto& spots = snapshot.blind_spots;
  const ScanBegin& begin = records.begin;
  if (records.damaged) spots.emplace_back("part of the scan's bytes could not be understood");
  if ((begin.notes & SCAN_NOTE_BUFFER_FULL) != 0)
    spots.emplace_back("the scan's buffer was full: tasks are missing");
  if ((begin.notes & SCAN_NOTE_INCOMPLETE) != 0)
    spots.emplace_back("a pass of the scan failed: tasks or locks are missing");
  if ((begin.notes & SCAN_NOTE_PLAIN_CUT) != 0)
    spots.emplace_back("of the watched threads that only sleep, some were left out");
  if ((begin.features & SCAN_HAS_FUSE) == 0)
    spots.emplace_back("FUSE connections and their requests were not read");
  if ((begin.features & SCAN_HAS_STACK_SCAN) == 0)
    spots.emplace_back("page faults cannot be found on the stacks of this architecture");
  if ((begin.features & SCAN_HAS_BLOCKER) == 0)
    spots.emplace_back("this kernel does not say which lock a task waits for, except mmap_lock");
}

}  // namespace

bool is_quick_scan(std::span<const std::byte> bytes) {
  ScanBegin begin;
  if (bytes.size() < sizeof begin) return false;
  std::memcpy(&begin, bytes.data(), sizeof begin);
  return begin.magic == SCAN_MAGIC && (begin.notes & SCAN_NOTE_QUICK) != 0;
}

bool scan_is_whole(std::span<const std::byte> bytes) {
  const ScanRecords records = ScanRecords::parse(bytes);
  const auto cut = [](const auto& record, std::uint32_t flag) {
    return (record.flags & flag) != 0;
  };
  return !records.damaged && records.begin.notes == 0 &&
         (records.begin.features & SCAN_HAS_FUSE) != 0 &&
         std::none_of(records.locks.begin(), records.locks.end(),
                      [&](const ScanLock& lock) { return cut(lock, SCAN_LOCK_CUT); }) &&
         std::none_of(records.connections.begin(), records.connections.end(),
                      [&](const ScanConnection& one) { return cut(one, SCAN_CONN_CUT); });
}

namespace {

LockSnapshot decode_with(const ScanRecords& records, const Earlier& earlier,
                         const KernelSymbols& symbols) {
  LockSnapshot snapshot;
  snapshot.lens = LensKind::live_bpf;
  snapshot.kernel = symbols.kernel_release();
  snapshot.taken_monotonic_ns = records.begin.taken_ns;
  note_blind_spots(records, snapshot);
  std::vector<DecodedTask> tasks;
  tasks.reserve(records.tasks.size());
  for (const ScanTask& record : records.tasks) {
    DecodedTask task{decode_task(record, symbols), std::nullopt};
    task.fault = decode_fault(record, task.row);
    task.row.unchanged_for = earlier.unchanged(record);
    task.row.cpu = earlier.cpu(record);
    tasks.push_back(std::move(task));
  }
  for (const ScanLock& record : records.locks)
    snapshot.locks.push_back(decode_lock(record, records, tasks, snapshot.blind_spots));
  decode_fuse(records, earlier, snapshot);
  snapshot.tasks.reserve(tasks.size());
  for (DecodedTask& task : tasks) snapshot.tasks.push_back(std::move(task.row));
  return snapshot;
}

}  // namespace

LockSnapshot decode_scan(std::span<const std::byte> now, const ScanBefore* before,
                         const KernelSymbols& symbols) {
  const ScanRecords records = ScanRecords::parse(now);
  return decode_with(records, Earlier(before, records.begin), symbols);
}

LockSnapshot decode_records(const ScanRecords& records, const KernelSymbols& symbols) {
  return decode_with(records, Earlier(nullptr, records.begin), symbols);
}

}  // namespace stallproof
