// SPDX-License-Identifier: Apache-2.0
// The real kernel, with a real deadlock: a silent FUSE server, a page fault in its second try, a
// queued mprotect and a queued reader from another process. Every mount lives in a mount namespace
// of this test program and every process dies with it.
#include "harness/probe/kernel_scan.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "harness/probe/decode_scan.h"
#include "harness/probe/mountinfo.h"
#include "harness/probe/scan_records.h"
#include "harness/probe/testing/mmap_lock_trap.h"
#include "harness/probe/testing/stuck_fuse.h"

namespace stallproof {
namespace {

using testing::MmapLockTrap;
using testing::StuckFuse;
using testing::wait_for;

class KernelScanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root for BPF and mounts";
    if (::access("/dev/fuse", R_OK | W_OK) != 0) GTEST_SKIP() << "needs /dev/fuse";
    if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) GTEST_SKIP() << "this kernel has no BTF";
    // With all means there, a program that the kernel refuses is our defect.
    Result<KernelScan> scan = KernelScan::open();
    ASSERT_TRUE(scan) << scan.error().what;
    Result<KernelSymbols> symbols = KernelSymbols::load();
    ASSERT_TRUE(symbols) << symbols.error().what;
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    scan_.emplace(std::move(*scan));
    symbols_.emplace(std::move(*symbols));
    ASSERT_EQ(scan_->fuse_problem(), "");
  }

  LockSnapshot look(const ScanBefore* before = nullptr) {
    const auto used = scan_->scan(buffer_);
    EXPECT_TRUE(used) << std::strerror(used.error());
    bytes_ = std::span<const std::byte>(buffer_).first(*used);
    return decode_scan(bytes_, before, *symbols_);
  }
  // Whether this kernel says which rwsem or mutex a task waits for: task_struct.blocker.
  [[nodiscard]] bool names_locks() const {
    return (ScanRecords::parse(bytes_).begin.features & SCAN_HAS_BLOCKER) != 0;
  }
  static const LockRow* lock_of(const LockSnapshot& snapshot, pid_t tgid) {
    for (const LockRow& lock : snapshot.locks)
      if (lock.kind == LockKind::mmap_lock && lock.tgid == tgid) return &lock;
    return nullptr;
  }
  static const TaskRow* task_of(const LockSnapshot& snapshot, std::int32_t tid) {
    for (const TaskRow& task : snapshot.tasks)
      if (task.tid == tid) return &task;
    return nullptr;
  }
  static const FuseConnection* connection_of(const LockSnapshot& snapshot, const StuckFuse& fuse) {
    const auto mounts = read_mountinfo();
    const MountEntry* mount = mounts ? mount_of(*mounts, fuse.mount_point()) : nullptr;
    for (const FuseConnection& connection : snapshot.fuse)
      if (mount != nullptr && connection.number == mount->device_minor) return &connection;
    return nullptr;
  }

  std::optional<KernelScan> scan_;
  std::optional<KernelSymbols> symbols_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(1 << 20);
  std::span<const std::byte> bytes_;
};

TEST_F(KernelScanTest, VforkParentIsSeenBlockedAndHoldsNothing) {
  const pid_t parent = ::fork();
  if (parent == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::vfork() == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::poll(nullptr, 0, 10'000);
      ::_exit(0);
    }
    ::_exit(0);
  }
  const bool seen = wait_for(3 * kSecond, [&] {
    const LockSnapshot snapshot = look();
    const TaskRow* task = task_of(snapshot, parent);
    return task != nullptr && task->state == 'D' && !task->stack.empty() &&
           lock_of(snapshot, parent) == nullptr;
  });
  EXPECT_TRUE(seen);
  EXPECT_TRUE(testing::kill_and_reap(parent));
}

void expect_one_read_request(const FuseConnection* connection, std::int32_t server,
                             std::int32_t client) {
  ASSERT_NE(connection, nullptr);
  EXPECT_EQ(connection->server_tgids, std::vector<std::int32_t>{server});
  EXPECT_EQ(connection->waiting, 1U);
  ASSERT_EQ(connection->requests.size(), 1U);
  EXPECT_EQ(connection->requests[0].opcode, 15U);
  EXPECT_EQ(connection->requests[0].client_tid, client);
  EXPECT_EQ(connection->requests[0].place, RequestPlace::processing);
}

TEST_F(KernelScanTest, SecondTryFaultIsTheExactHolderOfAContendedMmapLock) {
  Result<StuckFuse> fuse = StuckFuse::start(1);
  ASSERT_TRUE(fuse) << fuse.error().what;
  MmapLockTrap trap(fuse->file());
  struct Heal {
    StuckFuse& fuse;
    ~Heal() { fuse.heal(); }
  } heal{*fuse};
  ASSERT_TRUE(trap.start_faults());
  ASSERT_TRUE(wait_for(3 * kSecond, [&] {
    const LockSnapshot snapshot = look();
    const FuseConnection* connection = connection_of(snapshot, *fuse);
    const TaskRow* task = task_of(snapshot, trap.board().faulters[0]);
    return connection != nullptr && connection->requests.size() == 1 && task != nullptr &&
           task->fault && task->fault->tried;
  }));
  ASSERT_TRUE(trap.start_writer());
  ASSERT_TRUE(wait_for(3 * kSecond, [&] {
    const LockSnapshot snapshot = look();
    const LockRow* lock = lock_of(snapshot, trap.client());
    return lock != nullptr && lock->waiters.size() == 1;
  }));
  ASSERT_TRUE(trap.start_peer());
  LockSnapshot snapshot;
  const LockRow* lock = nullptr;
  ASSERT_TRUE(wait_for(3 * kSecond, [&] {
    snapshot = look();
    lock = lock_of(snapshot, trap.client());
    return lock != nullptr && lock->waiters.size() == 2;
  }));

  EXPECT_TRUE(lock->queue_known);
  EXPECT_EQ(lock->waiters[0].tid, trap.board().writer);
  EXPECT_EQ(lock->waiters[0].mode, LockMode::write);
  EXPECT_EQ(lock->waiters[1].tid, trap.board().peer);
  EXPECT_EQ(lock->waiters[1].mode, LockMode::read);
  EXPECT_EQ(lock->reader_count, 1U);
  EXPECT_EQ(lock->writer_holds, false);
  ASSERT_EQ(lock->holders.size(), 1U);
  EXPECT_EQ(lock->holders[0].tid, trap.board().faulters[0]);
  EXPECT_EQ(lock->holders[0].certainty, Certainty::exact) << lock->holders[0].evidence;
  EXPECT_EQ(lock->holders[0].mode, LockMode::read);

  const TaskRow* holder = task_of(snapshot, trap.board().faulters[0]);
  ASSERT_NE(holder, nullptr);
  EXPECT_EQ(holder->comm, "trap_faulter");
  EXPECT_EQ(holder->fault->address, trap.board().fault_addresses[0]);
  EXPECT_EQ(holder->fault->file_offset, 3U * 4096);
  EXPECT_FALSE(holder->fault->vma_lock);
  for (const std::int32_t tid : {trap.board().writer.load(), trap.board().peer.load()}) {
    const TaskRow* task = task_of(snapshot, tid);
    ASSERT_NE(task, nullptr) << tid;
    EXPECT_EQ(task->state, 'D');
  }

  expect_one_read_request(connection_of(snapshot, *fuse), fuse->server(), trap.board().faulters[0]);

  const std::vector<std::byte> earlier(bytes_.begin(), bytes_.end());
  const ScanBefore before{earlier};
  ::poll(nullptr, 0, 250);
  const LockSnapshot later = look(&before);
  const TaskRow* still = task_of(later, trap.board().faulters[0]);
  ASSERT_NE(still, nullptr);
  EXPECT_GE(still->unchanged_for.value_or(0), kScanGap);
  EXPECT_GE(connection_of(later, *fuse)->requests[0].age.value_or(0), kScanGap);

  fuse->heal();
  EXPECT_TRUE(wait_for(3 * kSecond, [&] { return trap.board().peer_done.load(); }));
}

TEST_F(KernelScanTest, EveryReaderOfAContendedMmapLockIsFound) {
  Result<StuckFuse> fuse = StuckFuse::start(1);
  ASSERT_TRUE(fuse) << fuse.error().what;
  MmapLockTrap trap(fuse->file(), 3);
  struct Heal {
    StuckFuse& fuse;
    ~Heal() { fuse.heal(); }
  } heal{*fuse};
  ASSERT_TRUE(trap.start_faults());
  ASSERT_TRUE(wait_for(3 * kSecond, [&] {
    const LockSnapshot snapshot = look();
    return std::all_of(&trap.board().faulters[0], &trap.board().faulters[3], [&](const auto& tid) {
      const TaskRow* task = task_of(snapshot, tid);
      return task != nullptr && task->fault && task->fault->tried;
    });
  }));
  ASSERT_TRUE(trap.start_writer());
  LockSnapshot snapshot;
  const LockRow* lock = nullptr;
  ASSERT_TRUE(wait_for(3 * kSecond, [&] {
    snapshot = look();
    lock = lock_of(snapshot, trap.client());
    return lock != nullptr && lock->waiters.size() == 1;
  }));
  EXPECT_EQ(lock->reader_count, 3U);
  ASSERT_EQ(lock->holders.size(), 3U);
  for (const LockHolder& holder : lock->holders) {
    EXPECT_EQ(holder.certainty, Certainty::exact) << holder.evidence;
    const TaskRow* task = task_of(snapshot, holder.tid);
    ASSERT_NE(task, nullptr);
    EXPECT_EQ(task->comm, "trap_faulter");
  }
  for (const std::string& spot : snapshot.blind_spots)
    EXPECT_EQ(spot.find("identified"), std::string::npos) << spot;
}

TEST_F(KernelScanTest, FirstTryFaultHoldsNoMmapLock) {
  Result<StuckFuse> fuse = StuckFuse::start(0);
  ASSERT_TRUE(fuse) << fuse.error().what;
  MmapLockTrap trap(fuse->file());
  struct Heal {
    StuckFuse& fuse;
    ~Heal() { fuse.heal(); }
  } heal{*fuse};
  ASSERT_TRUE(trap.start_faults());
  ASSERT_TRUE(wait_for(3 * kSecond, [&] {
    const LockSnapshot snapshot = look();
    const TaskRow* task = task_of(snapshot, trap.board().faulters[0]);
    return task != nullptr && task->fault && !task->fault->tried;
  }));
  ASSERT_TRUE(trap.start_writer());
  EXPECT_TRUE(wait_for(3 * kSecond, [&] { return trap.board().writer_done.load(); }));
  ASSERT_TRUE(trap.start_peer());
  EXPECT_TRUE(wait_for(3 * kSecond, [&] { return trap.board().peer_done.load(); }));
  const LockSnapshot snapshot = look();
  EXPECT_EQ(lock_of(snapshot, trap.client()), nullptr);
  for (const LockRow& lock : snapshot.locks)
    for (const LockHolder& holder : lock.holders) EXPECT_NE(holder.tid, trap.board().faulters[0]);
}

// A child that makes one system call and then sleeps.
template <class Call>
pid_t fork_to(Call call) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  call();
  for (;;) ::poll(nullptr, 0, 10'000);
}

TEST_F(KernelScanTest, DirectoryLockNamesItsWriterAndItsQueue) {
  Result<StuckFuse> fuse = StuckFuse::start(0);
  ASSERT_TRUE(fuse) << fuse.error().what;
  const std::string first_path = fuse->mount_point() + "/first";
  const std::string second_path = fuse->mount_point() + "/second";
  const pid_t first = fork_to([&] { ::mkdir(first_path.c_str(), 0700); });
  EXPECT_TRUE(wait_for(3 * kSecond, [&] { return task_of(look(), first) != nullptr; }));
  const pid_t second = fork_to([&] { ::mkdir(second_path.c_str(), 0700); });
  const bool seen = wait_for(3 * kSecond, [&] {
    for (const LockRow& lock : look().locks)
      if (lock.waiters.size() == 1 && lock.waiters[0].tid == second)
        return lock.kind == LockKind::rwsem && lock.holders.size() == 1 &&
               lock.holders[0].tid == first && lock.holders[0].certainty == Certainty::exact &&
               lock.holders[0].mode == LockMode::write;
    return false;
  });
  EXPECT_TRUE(seen || !names_locks());
  fuse->heal();
  EXPECT_TRUE(testing::kill_and_reap(second));
  EXPECT_TRUE(testing::kill_and_reap(first));
}

TEST_F(KernelScanTest, FilePositionMutexNamesItsOwner) {
  Result<StuckFuse> fuse = StuckFuse::start(0);
  ASSERT_TRUE(fuse) << fuse.error().what;
  const int fd = ::open(fuse->file().c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const auto read_byte = [fd] {
    char byte = 0;
    static_cast<void>(!::read(fd, &byte, 1));
  };
  const pid_t first = fork_to(read_byte);
  EXPECT_TRUE(wait_for(3 * kSecond, [&] {
    const LockSnapshot snapshot = look();
    const FuseConnection* connection = connection_of(snapshot, *fuse);
    return connection != nullptr && !connection->requests.empty();
  }));
  const pid_t second = fork_to(read_byte);
  const bool seen = wait_for(3 * kSecond, [&] {
    for (const LockRow& lock : look().locks)
      if (lock.kind == LockKind::mutex && lock.waiters.size() == 1 && lock.waiters[0].tid == second)
        return lock.holders.size() == 1 && lock.holders[0].tid == first;
    return false;
  });
  EXPECT_TRUE(seen || !names_locks());
  fuse->heal();
  EXPECT_TRUE(testing::kill_and_reap(second));
  EXPECT_TRUE(testing::kill_and_reap(first));
  ::close(fd);
}

TEST_F(KernelScanTest, WatchedProcessIsSeenAsleepAndUnwatchedIsNot) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::poll(nullptr, 0, 10'000);
  }
  EXPECT_EQ(task_of(look(), child), nullptr);
  ASSERT_TRUE(scan_->watch(child));
  EXPECT_TRUE(wait_for(3 * kSecond, [&] {
    const LockSnapshot snapshot = look();
    const TaskRow* task = task_of(snapshot, child);
    return task != nullptr && task->state == 'S';
  }));
  ASSERT_TRUE(scan_->unwatch(child));
  EXPECT_EQ(task_of(look(), child), nullptr);
  EXPECT_TRUE(testing::kill_and_reap(child));
}

TEST_F(KernelScanTest, SmallBufferGivesWholeRecordsAndSaysSo) {
  ASSERT_TRUE(scan_->watch(::getpid()));
  std::vector<std::byte> small(sizeof(ScanBegin) + 100);
  const auto used = scan_->scan(small);
  ASSERT_TRUE(used) << std::strerror(used.error());
  EXPECT_TRUE(scan_->truncated());
  const LockSnapshot snapshot =
      decode_scan(std::span<const std::byte>(small).first(*used), nullptr, *symbols_);
  ASSERT_FALSE(snapshot.blind_spots.empty());
  EXPECT_NE(snapshot.blind_spots[0].find("full"), std::string::npos);
  look();
  EXPECT_FALSE(scan_->truncated());
}

TEST_F(KernelScanTest, WithoutTheFuseViewTheRestWorksAndSaysSo) {
  auto scan = KernelScan::open({.fuse = false});
  ASSERT_TRUE(scan) << scan.error().what;
  EXPECT_NE(scan->fuse_problem(), "");
  ASSERT_TRUE(scan->watch(::getpid()));
  const auto used = scan->scan(buffer_);
  ASSERT_TRUE(used);
  const LockSnapshot snapshot =
      decode_scan(std::span<const std::byte>(buffer_).first(*used), nullptr, *symbols_);
  EXPECT_NE(task_of(snapshot, ::getpid()), nullptr);
  ASSERT_FALSE(snapshot.blind_spots.empty());
  EXPECT_NE(snapshot.blind_spots[0].find("FUSE"), std::string::npos);
}

TEST_F(KernelScanTest, RefusedBpfIsAnErrorThatSaysWhatToTry) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
    const auto scan = KernelScan::open();
    ::_exit(!scan && scan.error().origin == Origin::lacking &&
                    scan.error().what.find("run as root") != std::string::npos
                ? 0
                : 1);
  }
  int status = -1;
  EXPECT_TRUE(wait_for(5 * kSecond, [&] { return ::waitpid(child, &status, WNOHANG) == child; }));
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace stallproof
