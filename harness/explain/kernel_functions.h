// SPDX-License-Identifier: Apache-2.0
// What the kernel's own function names say about a sleeping task. Only names of the kernel proper;
// names of file systems are data (fs_knowledge.h). Pure.
#pragma once

#include <string_view>

namespace stallproof {

enum class KernelMeaning {
  none,
  scheduler,    // how a task sleeps, not why
  rwsem_read,   // waits for a rw_semaphore as reader
  rwsem_write,  // … as writer
  rwsem,        // either: the frame outside of it tells
  fault,        // inside a page fault's handler: mmap_lock (or a VMA lock) is held for read
  fault_lock,   // takes mmap_lock for read on behalf of a page fault
  file_fault,   // the generic .fault: gives mmap_lock up before it waits, on the first try only
  folio_wait,   // waits for a page that somebody else reads or holds
  mprotect,     // this and the next four take mmap_lock for write
  mmap,
  munmap,
  mremap,
  brk,
  madvise,      // takes mmap_lock for read or for write, as the advice says
  mmap_inside,  // runs with mmap_lock already taken
  munmap_inside,
  hand_over,       // waits on /dev/fuse for the next request
  sleep_lock,      // waits for a lock that is no rw_semaphore
  wait_primitive,  // waits for whatever its caller asks for: buffers, works, a thread's end
  observer,        // of an interrupt, of who looks at a stack or checks every access
  // Rows of kernel_waits.cpp:
  vma_write,    // waits for a VMA's lock, with mmap_lock held for write
  percpu_wait,  // waits for a percpu_rw_semaphore: a frozen file system, if freeze_user is outside
  freeze_user,
  freeze,     // waits for a frozen file system
  exec_past,  // inside execve where it can no longer fail
  userfault,
  futex,
  vfork,
  directory,  // takes, or holds, a directory's inode lock
  block_io,
  journal_wait,    // waits for a commit of a file system's journal, or for room in it
  journal_commit,  // commits it
  async_io,
  loop_worker,  // serves a loop device
};

struct KernelFunction {
  std::string_view name;
  KernelMeaning meaning;
};

// `function` may end in a compiler's suffix (.isra.0, .constprop.0, .part.0, .llvm.123).
KernelMeaning kernel_meaning(std::string_view function);
std::string_view without_suffix(std::string_view function);

// How a task sleeps, takes a lock or waits, or how that was seen: never why it is stuck. Generic
// means only: a wait that names its subsystem (jbd2_log_wait_commit, request_wait_answer) tells who
// does not answer.
bool is_way_to_wait(std::string_view function);

}  // namespace stallproof
