// SPDX-License-Identifier: Apache-2.0
// Records as the BPF programs write them, made by hand.
#include "harness/probe/decode_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "harness/probe/scan_record.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kMm = 0xffff888100000000ULL;
constexpr std::uint64_t kLock = kMm + 0x80;
constexpr std::uint64_t kHandleMmFault = 0xffffffff81001000ULL;
constexpr std::uint64_t kFilemapFault = 0xffffffff81002000ULL;
constexpr std::uint64_t kOtherFault = 0xffffffff81003000ULL;
constexpr std::uint64_t kUserfault = 0xffffffff81004000ULL;

KernelSymbols symbols() {
  auto parsed = KernelSymbols::from_text(
      "ffffffff81001000 t __handle_mm_fault\nffffffff81002000 T filemap_fault\n"
      "ffffffff81003000 t ffs_filemap_fault\t[ffs]\nffffffff81004000 T handle_userfault\n",
      "6.18.0");
  return *parsed;
}

std::uint64_t task_pointer(std::int32_t tid) {
  return 0xffff888200000000ULL + static_cast<std::uint64_t>(tid) * 0x1000;
}

class Bytes {
 public:
  explicit Bytes(Nanos taken, std::uint32_t notes = 0) {
    ScanBegin begin{};
    begin.head = {SCAN_BEGIN, sizeof(begin)};
    begin.magic = SCAN_MAGIC;
    begin.features = 31;
    begin.notes = notes;
    begin.hz = 250;
    begin.jiffies = 10'000;
    begin.taken_ns = taken;
    put(begin);
  }
  template <class Record>
  Bytes& put(const Record& record) {
    bytes_.resize(bytes_.size() + sizeof(record));
    std::memcpy(bytes_.data() + bytes_.size() - sizeof(record), &record, sizeof(record));
    return *this;
  }
  [[nodiscard]] std::span<const std::byte> span() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

ScanTask task(std::int32_t tid, std::uint32_t state) {
  ScanTask record{};
  record.head = {SCAN_TASK, sizeof(record)};
  record.task = task_pointer(tid);
  record.mm = kMm;
  record.switches = 100;
  record.tid = tid;
  record.tgid = 100;
  record.state = state;
  std::memcpy(record.comm, "java", sizeof "java");
  return record;
}

// Frames: `innermost`, then __handle_mm_fault, in whose frame the vm_fault lies.
ScanTask faulting(std::int32_t tid, std::uint32_t bits, std::uint64_t innermost = kFilemapFault) {
  ScanTask record = task(tid, 1);
  record.frames[0] = innermost + 0x20;
  record.frames[1] = kHandleMmFault + 0x40;
  record.stack_bytes = 16;
  record.faults = 1;
  record.fault[0] = {kMm, 0x7f0000003000ULL, 3, bits, 2};
  return record;
}

ScanLock lock(std::uint64_t count, std::int32_t owner, std::uint64_t owner_bits) {
  ScanLock record{};
  record.head = {SCAN_LOCK, sizeof(record)};
  record.lock = kLock;
  record.mm = kMm;
  record.count = count;
  record.owner = owner == 0 ? 0 : task_pointer(owner) | owner_bits;
  record.owner_tid = owner;
  record.tgid = 100;
  record.waiters = 2;
  return record;
}

ScanWaiter waiter(std::int32_t tid, bool reader) {
  ScanWaiter record{};
  record.head = {SCAN_WAITER, sizeof(record)};
  record.lock = kLock;
  record.task = task_pointer(tid);
  record.tid = tid;
  record.reader = reader ? 1 : 0;
  return record;
}

bool says(const LockSnapshot& snapshot, std::string_view what) {
  return std::any_of(
      snapshot.blind_spots.begin(), snapshot.blind_spots.end(),
      [what](const std::string& spot) { return spot.find(what) != std::string::npos; });
}

LockSnapshot decode(const Bytes& bytes) { return decode_scan(bytes.span(), nullptr, symbols()); }

TEST(DecodeScan, SecondTryFaultIsAnExactHolderAndTheQueueKeepsItsOrder) {
  Bytes bytes(kSecond);
  bytes.put(lock(0x102, 7, 3)).put(waiter(8, false)).put(waiter(9, true));
  bytes.put(faulting(7, SCAN_FAULT_TRIED | SCAN_FAULT_ALLOW_RETRY | SCAN_FAULT_FILE));
  const LockSnapshot snapshot = decode(bytes);
  ASSERT_EQ(snapshot.locks.size(), 1U);
  const LockRow& row = snapshot.locks[0];
  EXPECT_EQ(row.reader_count, 1U);
  EXPECT_EQ(row.writer_holds, false);
  ASSERT_EQ(row.holders.size(), 1U);
  EXPECT_EQ(row.holders[0].tid, 7);
  EXPECT_EQ(row.holders[0].certainty, Certainty::exact);
  ASSERT_EQ(row.waiters.size(), 2U);
  EXPECT_EQ(row.waiters[0].tid, 8);
  EXPECT_EQ(row.waiters[0].mode, LockMode::write);
  EXPECT_EQ(row.waiters[1].mode, LockMode::read);
  EXPECT_TRUE(row.queue_known);
  ASSERT_TRUE(snapshot.tasks[0].fault);
  EXPECT_EQ(snapshot.tasks[0].fault->file_offset, 0x3000U);
  EXPECT_EQ(snapshot.tasks[0].stack[1].function, "__handle_mm_fault");
  EXPECT_EQ(snapshot.kernel, "6.18.0");
  EXPECT_TRUE(snapshot.blind_spots.empty()) << snapshot.blind_spots[0];
}

TEST(DecodeScan, SeveralReadersAreAllNamed) {
  Bytes bytes(kSecond);
  bytes.put(lock(0x202, 7, 1));
  bytes.put(faulting(7, SCAN_FAULT_TRIED)).put(faulting(6, SCAN_FAULT_TRIED));
  const LockSnapshot snapshot = decode(bytes);
  ASSERT_EQ(snapshot.locks[0].holders.size(), 2U);
  EXPECT_EQ(snapshot.locks[0].holders[1].tid, 6);
  EXPECT_FALSE(says(snapshot, "identified"));
}

TEST(DecodeScan, FaultUnderTheVmaLockHoldsNoMmapLock) {
  Bytes bytes(kSecond);
  bytes.put(lock(0x3, 8, 0)).put(task(8, 2));
  bytes.put(faulting(7, SCAN_FAULT_TRIED | SCAN_FAULT_VMA_LOCK));
  const LockRow row = decode(bytes).locks[0];
  ASSERT_EQ(row.holders.size(), 1U);
  EXPECT_EQ(row.holders[0].tid, 8);
  EXPECT_EQ(row.holders[0].mode, LockMode::write);
  EXPECT_EQ(row.holders[0].certainty, Certainty::exact);
}

TEST(DecodeScan, FirstTryInFilemapFaultHasGivenTheLockUp) {
  Bytes bytes(kSecond);
  bytes.put(lock(0x102, 5, 1)).put(task(5, 2)).put(faulting(7, SCAN_FAULT_ALLOW_RETRY));
  const LockSnapshot snapshot = decode(bytes);
  ASSERT_EQ(snapshot.locks[0].holders.size(), 1U);
  EXPECT_EQ(snapshot.locks[0].holders[0].tid, 5);
  EXPECT_EQ(snapshot.locks[0].holders[0].certainty, Certainty::likely);
  EXPECT_TRUE(says(snapshot, "1 reader in its count, 0 identified"));
}

TEST(DecodeScan, FirstTryInAFaultFunctionOfItsOwnIsOnlyInferred) {
  Bytes bytes(kSecond);
  bytes.put(lock(0x102, 0, 0)).put(faulting(7, SCAN_FAULT_ALLOW_RETRY, kOtherFault));
  const LockRow row = decode(bytes).locks[0];
  ASSERT_EQ(row.holders.size(), 1U);
  EXPECT_EQ(row.holders[0].certainty, Certainty::inferred);
}

TEST(DecodeScan, UserfaultAndQueuedFaultAndRunningFaultHoldNothing) {
  Bytes bytes(kSecond);
  ScanTask running = faulting(6, SCAN_FAULT_TRIED);
  running.state = 0;
  bytes.put(lock(0x102, 0, 0)).put(waiter(8, true));
  bytes.put(faulting(7, SCAN_FAULT_TRIED, kUserfault)).put(faulting(8, SCAN_FAULT_TRIED));
  bytes.put(running);
  EXPECT_TRUE(decode(bytes).locks[0].holders.empty());
}

TEST(DecodeScan, LookAlikeOutsideTheFaultHandlersFrameIsNoFault) {
  ScanTask record = faulting(7, SCAN_FAULT_TRIED);
  record.fault[0].frame = 1;  // in filemap_fault's frame: left over from an earlier call
  EXPECT_FALSE(decode(Bytes(kSecond).put(record)).tasks[0].fault);
  record.fault[0].frame = 0;
  EXPECT_FALSE(decode(Bytes(kSecond).put(record)).tasks[0].fault);
  record.fault[1] = {kMm, 0x1000, 1, 0, 2};
  record.faults = 2;
  EXPECT_EQ(decode(Bytes(kSecond).put(record)).tasks[0].fault->address, 0x1000U);
}

TEST(DecodeScan, OwnerThatNoLongerExistsIsABlindSpotAndNoHolder) {
  Bytes bytes(kSecond);
  bytes.put(lock(0x102, 5, 1));
  const LockSnapshot snapshot = decode(bytes);
  EXPECT_TRUE(snapshot.locks[0].holders.empty());
  EXPECT_TRUE(says(snapshot, "no longer exists"));
}

TEST(DecodeScan, OwnerThatWaitsItselfIsNotTakenForTheHolder) {
  Bytes bytes(kSecond);
  bytes.put(lock(0x102, 8, 1)).put(waiter(8, true)).put(task(8, 2));
  EXPECT_TRUE(decode(bytes).locks[0].holders.empty());
}

TEST(DecodeScan, MutexOwnerIsExactAndHasNoCount) {
  ScanLock mutex = lock(0, 7, 1);
  mutex.mm = 0;
  mutex.type = SCAN_MUTEX;
  const LockRow row = decode(Bytes(kSecond).put(mutex).put(waiter(8, false))).locks[0];
  EXPECT_EQ(row.kind, LockKind::mutex);
  EXPECT_FALSE(row.count);
  EXPECT_FALSE(row.reader_count);
  ASSERT_EQ(row.holders.size(), 1U);
  EXPECT_EQ(row.holders[0].tid, 7);
  EXPECT_EQ(row.holders[0].certainty, Certainty::exact);
  EXPECT_EQ(row.waiters[0].mode, LockMode::write);
}

TEST(DecodeScan, UnchangedIsTheTimeBetweenScansWithoutASwitch) {
  ScanTask ran = task(8, 2);
  const Bytes before = Bytes(kSecond).put(task(7, 2)).put(ran);
  ran.switches += 1;
  const Bytes now = Bytes(kSecond + 300 * kMillisecond).put(task(7, 2)).put(ran).put(task(9, 2));
  const ScanBefore earlier{before.span()};
  const LockSnapshot snapshot = decode_scan(now.span(), &earlier, symbols());
  EXPECT_EQ(snapshot.tasks[0].unchanged_for, 300 * kMillisecond);
  EXPECT_FALSE(snapshot.tasks[1].unchanged_for);
  EXPECT_FALSE(snapshot.tasks[2].unchanged_for);
}

TEST(DecodeScan, ScansTooNearToEachOtherProveNothing) {
  const Bytes before = Bytes(kSecond).put(task(7, 2));
  const Bytes now = Bytes(kSecond + 100 * kMillisecond).put(task(7, 2));
  const ScanBefore earlier{before.span()};
  EXPECT_FALSE(decode_scan(now.span(), &earlier, symbols()).tasks[0].unchanged_for);
}

ScanRequest request(std::uint64_t unique, std::uint64_t create_time) {
  ScanRequest record{};
  record.head = {SCAN_REQUEST, sizeof(record)};
  record.request = 0xffff888300000000ULL + unique;
  record.unique = unique;
  record.create_time = create_time;
  record.number = 41;
  record.opcode = 15;
  record.client = 7;
  record.processing = 1;
  return record;
}

ScanConnection connection(std::int32_t server, std::uint32_t flags = 0) {
  return {{SCAN_CONNECTION, sizeof(ScanConnection)}, 0xffff888400000000ULL, 41, 2, server, flags};
}

TEST(DecodeScan, ConnectionOfSeveralServersIsOneRow) {
  Bytes bytes(kSecond);
  bytes.put(connection(50)).put(request(4, 9'750)).put(connection(51)).put(connection(50));
  const LockSnapshot snapshot = decode(bytes);
  ASSERT_EQ(snapshot.fuse.size(), 1U);
  EXPECT_EQ(snapshot.fuse[0].server_tgids, (std::vector<std::int32_t>{50, 51}));
  EXPECT_EQ(snapshot.fuse[0].waiting, 2U);
  ASSERT_EQ(snapshot.fuse[0].requests.size(), 1U);
  EXPECT_EQ(snapshot.fuse[0].requests[0].client_tid, 7);
  EXPECT_EQ(snapshot.fuse[0].requests[0].age, kSecond);
}

TEST(DecodeScan, AgeWithoutCreationTimeComesFromTheEarlierScan) {
  const Bytes before = Bytes(kSecond).put(connection(50)).put(request(4, 0));
  const Bytes now = Bytes(2 * kSecond).put(connection(50)).put(request(4, 0)).put(request(6, 0));
  const ScanBefore earlier{before.span()};
  const LockSnapshot snapshot = decode_scan(now.span(), &earlier, symbols());
  EXPECT_EQ(snapshot.fuse[0].requests[0].age, kSecond);
  EXPECT_FALSE(snapshot.fuse[0].requests[1].age);
}

TEST(DecodeScan, ForeignThreadIdsAreNotShownAsOurs) {
  Bytes bytes(kSecond);
  bytes.put(connection(50, SCAN_CONN_PID_NS | SCAN_CONN_RING)).put(request(4, 0));
  const LockSnapshot snapshot = decode(bytes);
  EXPECT_EQ(snapshot.fuse[0].requests[0].client_tid, 0);
  EXPECT_TRUE(says(snapshot, "another namespace"));
  EXPECT_TRUE(says(snapshot, "io_uring"));
}

TEST(DecodeScan, DamagedBytesGiveWhatCanBeReadAndABlindSpot) {
  EXPECT_TRUE(says(decode_scan({}, nullptr, symbols()), "could not be understood"));
  Bytes bytes(kSecond);
  bytes.put(task(7, 2)).put(ScanHead{SCAN_TASK, 4});
  const LockSnapshot snapshot = decode(bytes);
  EXPECT_EQ(snapshot.tasks.size(), 1U);
  EXPECT_TRUE(says(snapshot, "could not be understood"));
  for (std::size_t cut = 0; cut < bytes.span().size(); cut += 7)
    decode_scan(bytes.span().first(cut), nullptr, symbols());
}

TEST(DecodeScan, FullBufferIsABlindSpot) {
  EXPECT_TRUE(says(decode(Bytes(kSecond, SCAN_NOTE_BUFFER_FULL)), "buffer was full"));
}

TEST(DecodeScan, WholeIsAScanThatLeftNothingOut) {
  const auto queue_of = [](std::uint32_t flags) {
    ScanLock record{};
    record.head = {SCAN_LOCK, sizeof(record)};
    record.flags = flags;
    return record;
  };
  const auto whole = [](const Bytes& bytes) { return scan_is_whole(bytes.span()); };
  EXPECT_TRUE(whole(Bytes(kSecond)));
  EXPECT_TRUE(whole(Bytes(kSecond).put(task(7, 2)).put(queue_of(0)).put(connection(50))));
  // What moves is not stuck; what no scan shows is no loss of this one.
  EXPECT_TRUE(whole(Bytes(kSecond)
                        .put(queue_of(SCAN_LOCK_TORN))
                        .put(connection(50, SCAN_CONN_RING | SCAN_CONN_PID_NS | SCAN_CONN_TORN))));
  EXPECT_FALSE(scan_is_whole({}));
  EXPECT_FALSE(whole(Bytes(kSecond, SCAN_NOTE_BUFFER_FULL)));
  EXPECT_FALSE(whole(Bytes(kSecond, SCAN_NOTE_INCOMPLETE)));
  EXPECT_FALSE(whole(Bytes(kSecond).put(ScanHead{SCAN_TASK, 4})));
  EXPECT_FALSE(whole(Bytes(kSecond).put(queue_of(SCAN_LOCK_CUT))));
  EXPECT_FALSE(whole(Bytes(kSecond).put(connection(50, SCAN_CONN_CUT))));
}

TEST(DecodeScan, StatesAreThoseOfProc) {
  const Bytes bytes = Bytes(kSecond)
                          .put(task(1, 0))
                          .put(task(2, 1))
                          .put(task(3, 0x102))
                          .put(task(4, 0x402))
                          .put(task(5, 4));
  const LockSnapshot snapshot = decode(bytes);
  std::string states;
  for (const TaskRow& row : snapshot.tasks) states.push_back(row.state);
  EXPECT_EQ(states, "RSDIT");
  EXPECT_FALSE(snapshot.tasks[0].stack_problem.empty());
}

TEST(DecodeScan, UnknownAddressIsPrintedAsANumber) {
  ScanTask record = task(7, 2);
  record.frames[0] = 0xffffffffa0000010ULL;
  record.stack_bytes = 8;
  EXPECT_EQ(decode(Bytes(kSecond).put(record)).tasks[0].stack[0].function, "0xffffffffa0000010");
}

}  // namespace
}  // namespace stallproof
