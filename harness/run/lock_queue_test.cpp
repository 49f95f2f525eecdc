// SPDX-License-Identifier: Apache-2.0
#include "harness/run/lock_queue.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace stallproof {
namespace {

// The bytes of a scan, record after record.
class Scan {
 public:
  Scan& lock(std::uint64_t address, std::uint64_t mm) {
    return add(ScanLock{.head = head<ScanLock>(SCAN_LOCK), .lock = address, .mm = mm});
  }
  Scan& waiter(std::uint64_t lock, std::uint64_t task, bool reader) {
    return add(ScanWaiter{.head = head<ScanWaiter>(SCAN_WAITER),
                          .lock = lock,
                          .task = task,
                          .reader = reader ? 1U : 0U});
  }
  Scan& task(std::uint64_t address, std::uint64_t switches) {
    return add(ScanTask{.head = head<ScanTask>(SCAN_TASK), .task = address, .switches = switches});
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  template <class Record>
  static ScanHead head(ScanKind kind) {
    return {.kind = static_cast<std::uint32_t>(kind), .size = sizeof(Record)};
  }
  template <class Record>
  Scan& add(const Record& record) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof record);
    std::memcpy(bytes_.data() + at, &record, sizeof record);
    return *this;
  }
  std::vector<std::byte> bytes_;
};

Scan stalled() {
  Scan scan;
  scan.lock(1, 77).waiter(1, 10, false).waiter(1, 11, true).waiter(1, 12, true);
  scan.task(10, 5).task(11, 6).task(12, 7);
  return scan;
}

TEST(LockQueue, NobodyWaits) {
  LockQueue queue;
  const auto count = queue.count(Scan().task(10, 5).bytes(), kSecond);
  EXPECT_EQ(count.readers + count.writers, 0U);
  EXPECT_EQ(count.oldest_since_ns, 0U);
}

TEST(LockQueue, ReadersAndWritersAreCountedApart) {
  LockQueue queue;
  const auto count = queue.count(stalled().bytes(), 3 * kSecond);
  EXPECT_EQ(count.readers, 2U);
  EXPECT_EQ(count.writers, 1U);
  EXPECT_EQ(count.oldest_since_ns, 3 * kSecond);
}

TEST(LockQueue, WaiterThatDidNotRunIsAsOldAsItsFirstScan) {
  LockQueue queue;
  queue.count(stalled().bytes(), 3 * kSecond);
  queue.count(stalled().bytes(), 4 * kSecond);
  EXPECT_EQ(queue.count(stalled().bytes(), 5 * kSecond).oldest_since_ns, 3 * kSecond);
}

TEST(LockQueue, BusyLockWhoseWaitersRunIsNotOld) {
  LockQueue queue;
  for (std::uint64_t second = 1; second <= 4; ++second) {
    Scan scan;
    scan.lock(1, 77).waiter(1, 10, false).task(10, 100 * second);
    EXPECT_EQ(queue.count(scan.bytes(), second * kSecond).oldest_since_ns, second * kSecond);
  }
}

TEST(LockQueue, OtherLocksDoNotCount) {
  LockQueue queue;
  Scan scan;
  scan.lock(2, 0).waiter(2, 20, false).lock(1, 77).waiter(1, 10, true).task(20, 1).task(10, 1);
  const auto count = queue.count(scan.bytes(), kSecond);
  EXPECT_EQ(count.readers, 1U);
  EXPECT_EQ(count.writers, 0U);
}

}  // namespace
}  // namespace stallproof
