// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/scan_records.h"

#include <algorithm>
#include <cstring>

namespace stallproof {
namespace {

template <class Record>
bool take(std::span<const std::byte> bytes, std::vector<Record>& into) {
  if (bytes.size() != sizeof(Record)) return false;
  Record record{};
  std::memcpy(&record, bytes.data(), sizeof(record));
  into.push_back(record);
  return true;
}

bool sort_in(const ScanHead& head, std::span<const std::byte> bytes, ScanRecords& into) {
  switch (head.kind) {
    case SCAN_CONNECTION:
      return take(bytes, into.connections);
    case SCAN_REQUEST:
      return take(bytes, into.requests);
    case SCAN_LOCK:
      return take(bytes, into.locks);
    case SCAN_WAITER:
      return take(bytes, into.waiters);
    case SCAN_TASK:
      return take(bytes, into.tasks);
    default:
      return false;
  }
}

bool take_begin(std::span<const std::byte> bytes, ScanBegin& begin) {
  if (bytes.size() < sizeof(begin)) return false;
  std::memcpy(&begin, bytes.data(), sizeof(begin));
  if (begin.magic == SCAN_MAGIC && begin.head.size == sizeof(begin)) return true;
  begin = ScanBegin{};
  return false;
}

}  // namespace

ScanRecords ScanRecords::parse(std::span<const std::byte> bytes) {
  ScanRecords records;
  if (!take_begin(bytes, records.begin)) {
    records.damaged = true;
    return records;
  }
  bytes = bytes.subspan(sizeof(ScanBegin));
  while (!bytes.empty()) {
    ScanHead head{};
    if (bytes.size() >= sizeof(head)) std::memcpy(&head, bytes.data(), sizeof(head));
    if (head.size < sizeof(head) || head.size > bytes.size()) {
      records.damaged = true;
      return records;
    }
    if (!sort_in(head, bytes.first(head.size), records)) records.damaged = true;
    bytes = bytes.subspan(head.size);
  }
  return records;
}

const ScanTask* ScanRecords::find_task(std::uint64_t address) const {
  const auto found = std::find_if(tasks.begin(), tasks.end(),
                                  [address](const ScanTask& task) { return task.task == address; });
  return found == tasks.end() ? nullptr : &*found;
}

}  // namespace stallproof
