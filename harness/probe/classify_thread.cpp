// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/classify_thread.h"

#include <sys/syscall.h>

#include <algorithm>
#include <array>

namespace stallproof {
namespace {

// include/linux/sched.h, 5.14 to 6.18.
constexpr std::uint32_t kInterruptible = 0x1;
constexpr std::uint32_t kUninterruptible = 0x2;
constexpr std::uint32_t kStopped = 0x4;
constexpr std::uint32_t kTraced = 0x8;
constexpr std::uint32_t kNoLoad = 0x400;
constexpr std::uint32_t kFrozen = 0x8000;            // 6.1 and later
constexpr std::uint32_t kFrozenFlag = 0x10000;       // PF_FROZEN, before 6.1
constexpr std::uint32_t kIoWorker = 0x10;            // PF_IO_WORKER, 5.12 and later
constexpr std::uint64_t kTrapFreeze = 1ULL << 23U;   // JOBCTL_TRAP_FREEZE: the freezer of cgroup v2
constexpr std::uint64_t kTrapStopped = 1ULL << 17U;  // JOBCTL_STOP_PENDING

template <std::size_t N>
bool contains(const std::array<long, N>& calls, std::int64_t call) {
  return std::find(calls.begin(), calls.end(), call) != calls.end();
}

// The parent of a vfork sleeps in D until the child execs (kernel_clone, kernel/fork.c).
constexpr std::array<long, 3> kForks{SYS_vfork, SYS_clone, SYS_clone3};

constexpr std::array<long, 6> kRings{SYS_io_getevents, SYS_io_pgetevents, SYS_io_uring_enter,
                                     SYS_io_submit,    SYS_io_destroy,    SYS_io_uring_setup};

// Calls that name their file by a path: whatever they sleep for is a file system.
constexpr std::array<long, 41> kPathCalls{
    SYS_open,       SYS_openat,    SYS_openat2,  SYS_creat,     SYS_stat,       SYS_lstat,
    SYS_newfstatat, SYS_statx,     SYS_access,   SYS_faccessat, SYS_faccessat2, SYS_unlink,
    SYS_unlinkat,   SYS_rename,    SYS_renameat, SYS_renameat2, SYS_mkdir,      SYS_mkdirat,
    SYS_rmdir,      SYS_link,      SYS_linkat,   SYS_symlink,   SYS_symlinkat,  SYS_readlink,
    SYS_readlinkat, SYS_chdir,     SYS_truncate, SYS_statfs,    SYS_execve,     SYS_execveat,
    SYS_mknod,      SYS_mknodat,   SYS_chmod,    SYS_fchmodat,  SYS_chown,      SYS_fchownat,
    SYS_getxattr,   SYS_lgetxattr, SYS_setxattr, SYS_utimensat, SYS_sync};

// Calls whose first argument is a descriptor and that sleep for what it is open on.
constexpr std::array<long, 30> kFileCalls{
    SYS_read,      SYS_write,           SYS_pread64,   SYS_pwrite64,        SYS_readv,
    SYS_writev,    SYS_preadv,          SYS_pwritev,   SYS_preadv2,         SYS_pwritev2,
    SYS_fsync,     SYS_fdatasync,       SYS_syncfs,    SYS_sync_file_range, SYS_fstat,
    SYS_ftruncate, SYS_fallocate,       SYS_getdents,  SYS_getdents64,      SYS_ioctl,
    SYS_flock,     SYS_fstatfs,         SYS_close,     SYS_lseek,           SYS_fchmod,
    SYS_fchown,    SYS_copy_file_range, SYS_readahead, SYS_fadvise64,       SYS_fgetxattr};

// A lock that another process holds is no stall of the file system, and is waited for in S.
bool waits_for_a_lock_of_others(const TargetRecord& record) { return record.call == SYS_flock; }

// A worker of io_uring has never entered the kernel: its registers mean nothing.
bool is_ring_worker(const TargetRecord& record) { return (record.flags & kIoWorker) != 0; }

bool in_file_call(const TargetRecord& record) {
  if (is_ring_worker(record)) return false;
  if (contains(kPathCalls, record.call)) return true;
  return contains(kFileCalls, record.call) && record.file == TARGET_FILE_DATA;
}

bool is_excluded(const TargetRecord& record) {
  if ((record.state & (kStopped | kTraced | kFrozen | kNoLoad)) != 0) return true;
  if ((record.flags & kFrozenFlag) != 0) return true;
  if ((record.jobctl & (kTrapFreeze | kTrapStopped)) != 0) return true;
  return !is_ring_worker(record) && contains(kForks, record.call);
}

}  // namespace

ThreadWait wait_of(const TargetRecord& record) {
  if (record.state == 0) return ThreadWait::none;
  if (is_excluded(record)) return ThreadWait::excluded;
  if ((record.state & kUninterruptible) != 0) return ThreadWait::file_system;
  if ((record.state & kInterruptible) == 0 || is_ring_worker(record)) return ThreadWait::none;
  if (contains(kRings, record.call)) return ThreadWait::ring;
  // A fault that sleeps interruptibly: FUSE (request_wait_answer), userfaultfd.
  if (record.call == TARGET_NO_CALL) return ThreadWait::file_system;
  if (waits_for_a_lock_of_others(record)) return ThreadWait::none;
  return in_file_call(record) ? ThreadWait::file_system : ThreadWait::none;
}

bool does_file_work(const TargetRecord& record) {
  if (in_file_call(record) || contains(kRings, record.call)) return true;
  return record.call == TARGET_NO_CALL && wait_of(record) == ThreadWait::file_system;
}

bool does_other_work(const TargetRecord& record) {
  return !is_ring_worker(record) && contains(kFileCalls, record.call) &&
         record.file == TARGET_FILE_OTHER;
}

}  // namespace stallproof
