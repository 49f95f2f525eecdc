// SPDX-License-Identifier: Apache-2.0
// What one task's stack says: what it is doing with its memory map and what it waits for. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "harness/explain/fs_knowledge.h"
#include "harness/explain/kernel_functions.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

// A name that a file-system file explains. `fs` is null when none does.
struct FsMatch {
  const FsFile* fs = nullptr;
  const FsPattern* pattern = nullptr;
  std::string_view function;  // as on the stack
};

struct FunctionMeaning {
  KernelMeaning kernel = KernelMeaning::none;
  FsMatch waits_for_service;
  FsMatch waits_for_lock;
  FsMatch locks_client_mm;
  FsMatch idle;
};

// Remembers each function's meaning: patterns are matched once per name, not once per frame.
class FunctionMeanings {
 public:
  explicit FunctionMeanings(const FsKnowledge& knowledge) : knowledge_(knowledge) {}
  // `function` must outlive this object.
  const FunctionMeaning& of(std::string_view function);

 private:
  const FsKnowledge& knowledge_;
  std::unordered_map<std::string_view, FunctionMeaning> known_;
};

enum class Doing { other, page_fault, mprotect, mmap, munmap, mremap, brk, madvise };
enum class Wait {
  running,
  lock,
  service,
  idle,
  hand_over,
  vma_lock,    // for page faults to let go of a VMA; it holds mmap_lock for write meanwhile
  thaw,        // for a frozen file system
  user_fault,  // for userfaultfd
  vfork,       // for a child that has not called execve yet: no stall
  halted,      // stopped, traced or frozen itself
  unknown
};

struct TaskReading {
  Doing doing = Doing::other;
  std::string_view doing_function;
  Wait wait = Wait::unknown;
  LockMode lock_mode = LockMode::read;  // with Wait::lock
  bool own_mm = false;                  // with Wait::lock: it is the task's own mmap_lock
  bool mode_unsure = false;             // with Wait::lock: lock_mode is a guess
  FsMatch service_wait;
  FsMatch fs_lock;      // it takes a lock of a file system
  FsMatch client_lock;  // it takes, or holds, the lock of somebody else's mm
  FsMatch idle;
  std::string_view wait_function;  // innermost function that says why; empty without a stack
  std::string_view wait_module;
  std::uint64_t wait_address = 0;
  KernelMeaning top = KernelMeaning::none;  // of the innermost frame that says why
  std::uint64_t meanings = 0;               // bit set of all frames' meanings
  bool file_fault = false;                  // the generic .fault is on the stack
  bool folio_wait = false;

  [[nodiscard]] bool on_stack(KernelMeaning meaning) const {
    return (meanings >> static_cast<unsigned>(meaning) & 1U) != 0;
  }
};

TaskReading read_task(const TaskRow& task, FunctionMeanings& meanings, LensKind lens);

// Waits with no lock of its own known that keep an mmap_lock: its mode, if the stack shows one.
// A fault in the generic .fault holds it on its second try only (FAULT_FLAG_TRIED; mm/filemap.c
// filemap_fault, maybe_unlock_mmap_for_io, 5.1 to 6.18); any other .fault for as long as it sleeps.
struct HoldsByStack {
  bool holds = false;
  LockMode mode = LockMode::read;
};
HoldsByStack holds_own_mmap_lock(const TaskRow& task, const TaskReading& reading);

}  // namespace stallproof
