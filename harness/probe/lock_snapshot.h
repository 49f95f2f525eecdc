// SPDX-License-Identifier: Apache-2.0
// LockSnapshot: who waits for what, at one moment, as plain data. Every lens (live kernel, /proc,
// crash text, a vmcore) fills the same shape and explain() reads nothing else. Absent is
// absent: a lens never guesses a field, it leaves it empty and says so in `blind_spots`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"

namespace stallproof {

enum class LensKind { live_bpf, live_proc, crash_text, vmcore };

// What was dead when it was looked at: nothing in it could move on, and its stacks show the
// functions of the scheduler and of locks.
constexpr bool is_post_mortem(LensKind lens) {
  return lens == LensKind::crash_text || lens == LensKind::vmcore;
}
// Lenses that read the queues of locks from the locks themselves.
constexpr bool reads_queues(LensKind lens) {
  return lens == LensKind::live_bpf || lens == LensKind::vmcore;
}

// How a fact was come by. exact: read from the lock, queue or request itself; likely: the kernel's
// last-owner field; inferred: from stacks and names.
enum class Certainty { exact, likely, inferred };

struct StackFrame {
  std::string function;       // without +0x offsets; "0xffff…" when no symbol is known
  std::string module;         // empty for the core kernel or when the lens cannot tell
  std::uint64_t address = 0;  // 0 when the lens has none
};

// A page fault found on a task's kernel stack (struct vm_fault, mm/memory.c __handle_mm_fault).
struct FaultState {
  std::uint64_t address = 0;
  std::uint64_t file_offset = 0;
  bool vma_lock = false;  // FAULT_FLAG_VMA_LOCK (6.4+): holds the VMA's lock, not mmap_lock
  bool tried = false;     // FAULT_FLAG_TRIED: will not give the lock up a second time
  // In .page_mkwrite, where the kernel has put the two flags above aside (mm/memory.c
  // do_page_mkwrite, 2.6.30 to 6.18): it holds one of the two locks, and which is not recorded.
  bool mkwrite = false;
};

// Why a task does not run although nothing it asked for is missing.
enum class Halt { none, stopped, traced, frozen };

// The file system or block device that a task's stack shows it to wait in.
struct FileWait {
  // page: waits for a page of the file; freeze: for a frozen file system; file: reads or writes
  // the file; fault: in a page fault on a mapping of it.
  enum class How { page, freeze, file, fault };
  How how = How::page;
  std::uint32_t device_major = 0;  // of the file system, or of the block device itself
  std::uint32_t device_minor = 0;  // with major 0 and FUSE: the connection's number
  std::uint64_t inode = 0;
};

// Where a task's time went between two looks. `waited`: it wanted a CPU and had none.
struct CpuShare {
  Nanos span = 0;
  Nanos ran = 0;
  Nanos waited = 0;
};

struct TaskRow {
  std::int32_t tid = 0;          // 0 when only the task's address is known
  std::int32_t tgid = 0;         // 0 when unknown
  std::int32_t parent_tgid = 0;  // 0 when unknown
  std::string comm;
  // 'R' 'S' 'D' 'T' 'I' 'Z' as in /proc, '?' when unknown. Killable D is 'D'.
  char state = '?';
  std::uint64_t task_address = 0;  // 0 when unknown
  std::uint64_t mm = 0;            // identity of the address space; 0 = kernel thread or unknown
  bool kernel_thread = false;
  std::vector<StackFrame> stack;  // innermost first; live lenses leave out __sched frames
  std::optional<FaultState> fault;
  // For how long the task is known not to have run (no context switch between scans); absent when
  // only one observation was made.
  std::optional<Nanos> unchanged_for;
  Halt halt = Halt::none;
  bool in_exec = false;  // between the start and the end of execve
  std::optional<FileWait> file_wait;
  std::optional<CpuShare> cpu;  // absent when only one observation was made
  bool cpu_throttled = false;   // ready, and the CPU quota of its cgroup is used up
  std::string io_limit;  // a limit of its cgroup on the device it waits for, as the kernel words it
  std::string cpu_limit;        // a CPU quota of its cgroup that is being enforced
  std::string stack_problem;    // why there is no stack, if there is none
  std::size_t source_line = 0;  // line in the text it was read from; 0 for live lenses
};

// vma_lock: no lens reads it, explain() infers it.
enum class LockKind { mmap_lock, rwsem, mutex, vma_lock };
enum class LockMode { read, write };

struct LockWaiter {
  std::int32_t tid = 0;  // 0 when only the task's address is known
  std::uint64_t task_address = 0;
  LockMode mode = LockMode::read;
  std::size_t source_line = 0;
};

struct LockHolder {
  std::int32_t tid = 0;
  LockMode mode = LockMode::read;
  Certainty certainty = Certainty::likely;
  std::string evidence;  // e.g. "vm_fault on its stack: second try, no VMA lock"
};

struct LockRow {
  LockKind kind = LockKind::mmap_lock;
  std::uint64_t address = 0;                  // 0 when unknown; printed as unknown
  std::uint64_t mm = 0;                       // whose mmap_lock; 0 when unknown
  std::int32_t tgid = 0;                      // a process that uses the mm; 0 when unknown
  std::optional<std::uint64_t> count;         // raw rwsem count word
  std::optional<std::uint32_t> reader_count;  // readers holding, from the count
  std::optional<bool> writer_holds;
  std::vector<LockHolder> holders;
  std::vector<LockWaiter> waiters;  // in queue order
  bool queue_known = false;         // `waiters` was read from the lock's own list
  bool queue_truncated = false;
};

enum class RequestPlace { pending, processing };  // not yet read by the server | read, not answered

struct FuseRequest {
  std::uint64_t unique = 0;
  std::uint32_t opcode = 0;     // 15 READ, 39 IOCTL …; fuse_opcode_name()
  std::int32_t client_tid = 0;  // the waiting thread
  RequestPlace place = RequestPlace::processing;
  std::optional<Nanos> age;  // at least this old
};

struct FuseConnection {
  std::uint32_t number = 0;  // of /sys/fs/fuse/connections
  std::uint32_t waiting = 0;
  std::vector<std::int32_t> server_tgids;  // processes that hold its /dev/fuse open
  std::vector<FuseRequest> requests;
  bool requests_truncated = false;
};

// A block device, from /sys: reading it touches neither the device nor its backing file.
struct DeviceRow {
  std::string name;  // "loop3"; of a file system without a block device empty
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint64_t reads_in_flight = 0;
  std::uint64_t writes_in_flight = 0;
  std::uint64_t completed = 0;  // reads, writes, discards and flushes since boot
  // Had I/O in flight all the time and completed none; absent when only one look was made.
  std::optional<Nanos> unchanged_for;
  bool suspended = false;    // of device-mapper: I/O waits before it is counted as in flight
  std::string backing_file;  // of a loop device
  std::string mount_point;   // one of its file system, if it is mounted where we look from
};

struct LockSnapshot {
  LensKind lens = LensKind::live_bpf;
  std::string kernel;            // release, when known
  Nanos taken_monotonic_ns = 0;  // 0 for texts
  std::vector<TaskRow> tasks;
  std::vector<LockRow> locks;
  std::vector<FuseConnection> fuse;
  std::vector<DeviceRow> devices;
  std::vector<std::string> blind_spots;  // what this lens could not see, one sentence each
};

}  // namespace stallproof
