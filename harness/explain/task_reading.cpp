// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/task_reading.h"

#include <optional>

#include "harness/explain/glob.h"

namespace stallproof {
namespace {

FsMatch match_any(const FsKnowledge& knowledge, std::vector<FsPattern> FsFile::*patterns,
                  std::string_view function) {
  const std::string_view bare = without_suffix(function);
  for (const FsFile& file : knowledge.files())
    for (const FsPattern& pattern : file.*patterns)
      if (glob_match(pattern.glob, bare)) return {&file, &pattern, function};
  return {};
}

std::optional<Doing> doing_of(KernelMeaning meaning) {
  switch (meaning) {
    case KernelMeaning::fault:
    case KernelMeaning::fault_lock:
    case KernelMeaning::file_fault:
      return Doing::page_fault;
    case KernelMeaning::mprotect:
      return Doing::mprotect;
    case KernelMeaning::mmap:
    case KernelMeaning::mmap_inside:
      return Doing::mmap;
    case KernelMeaning::munmap:
    case KernelMeaning::munmap_inside:
      return Doing::munmap;
    case KernelMeaning::mremap:
      return Doing::mremap;
    case KernelMeaning::brk:
      return Doing::brk;
    case KernelMeaning::madvise:
      return Doing::madvise;
    default:
      return std::nullopt;
  }
}

std::optional<LockMode> slow_path_mode(KernelMeaning meaning) {
  if (meaning == KernelMeaning::rwsem_read) return LockMode::read;
  if (meaning == KernelMeaning::rwsem_write) return LockMode::write;
  return std::nullopt;
}

// Outermost wins among system calls (mmap over an old mapping unmaps it); a fault wins over all.
void note_doing(TaskReading& reading, KernelMeaning meaning, std::string_view function) {
  const auto doing = doing_of(meaning);
  if (!doing) return;
  if (reading.doing == Doing::page_fault && *doing != Doing::page_fault) return;
  const bool same = reading.doing == *doing;
  reading.doing = *doing;
  if (!same) reading.doing_function = function;
}

// What lies inside of every frame that says why: nothing but the way to sleep.
struct Innermost {
  KernelMeaning meaning = KernelMeaning::none;
  bool client_lock = false;
};

// How a function that takes the task's own mmap_lock takes it.
std::optional<LockMode> takes_own_lock(KernelMeaning meaning) {
  if (meaning == KernelMeaning::fault_lock || meaning == KernelMeaning::madvise)
    return LockMode::read;
  switch (meaning) {
    case KernelMeaning::mprotect:
    case KernelMeaning::mmap:
    case KernelMeaning::munmap:
    case KernelMeaning::mremap:
    case KernelMeaning::brk:
      return LockMode::write;
    default:
      return std::nullopt;
  }
}

// In live lenses a task that waits for mmap_lock shows the function that takes it on top.
std::optional<LockMode> live_lock_wait(const Innermost& top) {
  return top.client_lock ? LockMode::read : takes_own_lock(top.meaning);
}

void note_frame(TaskReading& reading, const FunctionMeaning& meaning, std::string_view function) {
  reading.meanings |= std::uint64_t{1} << static_cast<unsigned>(meaning.kernel);
  note_doing(reading, meaning.kernel, function);
  if (meaning.kernel == KernelMeaning::file_fault) reading.file_fault = true;
  if (meaning.kernel == KernelMeaning::folio_wait) reading.folio_wait = true;
  if (reading.service_wait.fs == nullptr) reading.service_wait = meaning.waits_for_service;
  if (reading.fs_lock.fs == nullptr) reading.fs_lock = meaning.waits_for_lock;
  if (reading.client_lock.fs == nullptr) reading.client_lock = meaning.locks_client_mm;
  if (reading.idle.fs == nullptr) reading.idle = meaning.idle;
}

// What lies on a stack may be left from an earlier call: a stack that is known must be in such a
// wait.
bool waits_for_thaw(const TaskRow& task, const TaskReading& reading) {
  if (task.file_wait && task.file_wait->how == FileWait::How::freeze &&
      (task.stack.empty() || reading.on_stack(KernelMeaning::percpu_wait)))
    return true;
  if (reading.top == KernelMeaning::freeze) return true;
  return reading.top == KernelMeaning::percpu_wait && reading.on_stack(KernelMeaning::freeze_user);
}

Wait wait_of(const TaskRow& task, const TaskReading& reading) {
  if (task.halt != Halt::none) return Wait::halted;
  if (waits_for_thaw(task, reading)) return Wait::thaw;
  switch (reading.top) {
    case KernelMeaning::hand_over:
      return Wait::hand_over;
    case KernelMeaning::vma_write:
      return Wait::vma_lock;
    case KernelMeaning::userfault:
      return Wait::user_fault;
    case KernelMeaning::vfork:
      return Wait::vfork;
    default:
      break;
  }
  if (reading.service_wait.fs != nullptr) return Wait::service;
  if (reading.idle.fs != nullptr) return Wait::idle;
  return Wait::unknown;
}

}  // namespace

const FunctionMeaning& FunctionMeanings::of(std::string_view function) {
  const auto found = known_.find(function);
  if (found != known_.end()) return found->second;
  FunctionMeaning meaning;
  meaning.kernel = kernel_meaning(function);
  meaning.waits_for_service = match_any(knowledge_, &FsFile::waits_for_service, function);
  meaning.waits_for_lock = match_any(knowledge_, &FsFile::waits_for_lock, function);
  meaning.locks_client_mm = match_any(knowledge_, &FsFile::locks_client_mm, function);
  meaning.idle = match_any(knowledge_, &FsFile::idle, function);
  return known_.emplace(function, meaning).first->second;
}

TaskReading read_task(const TaskRow& task, FunctionMeanings& meanings, LensKind lens) {
  TaskReading reading;
  std::optional<LockMode> slow_path;
  bool inside = true;  // still among the frames that say how it sleeps
  Innermost top;
  for (const StackFrame& frame : task.stack) {
    const FunctionMeaning& meaning = meanings.of(frame.function);
    if (inside && meaning.kernel == KernelMeaning::scheduler) continue;
    if (inside && reading.wait_function.empty()) {
      reading.wait_function = frame.function;
      reading.wait_module = frame.module;
      reading.wait_address = frame.address;
    }
    const auto mode = inside ? slow_path_mode(meaning.kernel) : std::nullopt;
    if (mode) slow_path = mode;
    if (mode || (inside && meaning.kernel == KernelMeaning::rwsem)) continue;
    if (inside) {
      top = {meaning.kernel, meaning.locks_client_mm.fs != nullptr};
      reading.top = meaning.kernel;
    }
    inside = false;
    note_frame(reading, meaning, frame.function);
  }
  if (!slow_path && !is_post_mortem(lens) && task.state == 'D') {
    slow_path = live_lock_wait(top);
    reading.mode_unsure = top.meaning == KernelMeaning::madvise;
  }
  if (task.state == 'R') {
    reading.wait = Wait::running;
  } else if (slow_path) {
    reading.wait = Wait::lock;
    reading.lock_mode = *slow_path;
    reading.own_mm = reading.client_lock.fs == nullptr && takes_own_lock(top.meaning).has_value();
  } else {
    reading.wait = wait_of(task, reading);
  }
  return reading;
}

HoldsByStack holds_own_mmap_lock(const TaskRow& task, const TaskReading& reading) {
  if (reading.wait != Wait::service && reading.wait != Wait::unknown &&
      reading.wait != Wait::vma_lock && reading.wait != Wait::thaw)
    return {};
  if (reading.client_lock.fs != nullptr || task.stack.empty()) return {};
  switch (reading.doing) {
    case Doing::page_fault:
      if (task.fault)
        return {!task.fault->vma_lock && (task.fault->tried || !reading.file_fault),
                LockMode::read};
      return {!(reading.file_fault && reading.folio_wait), LockMode::read};
    case Doing::munmap:  // downgraded before the pages go: mm/mmap.c __do_munmap, since 4.20
      return {true, LockMode::read};
    case Doing::mprotect:
    case Doing::mmap:
    case Doing::mremap:
    case Doing::brk:
      return {true, LockMode::write};
    case Doing::madvise:
    case Doing::other:
      return {};
  }
  return {};
}

}  // namespace stallproof
