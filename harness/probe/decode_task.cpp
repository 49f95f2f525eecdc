// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/decode_task.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace stallproof {
namespace {

constexpr std::uint32_t kKernelThread = 0x00200000;  // PF_KTHREAD
constexpr std::uint64_t kPageShift = 12;

StackFrame decode_frame(std::uint64_t address, const KernelSymbols& symbols) {
  StackFrame frame;
  frame.address = address;
  if (const auto symbol = symbols.find(address - 1)) {
    frame.function = symbol->function;
    frame.module = symbol->module;
  } else {
    frame.function = fmt::format("0x{:x}", address);
  }
  return frame;
}

void decode_stack(const ScanTask& record, const KernelSymbols& symbols, TaskRow& row) {
  if (record.state == 0 || record.moved != 0) {
    row.stack_problem = "it was running: its stack did not hold still";
    return;
  }
  if (record.stack_bytes < 0) {
    row.stack_problem = std::string("bpf_get_task_stack: ") + std::strerror(-record.stack_bytes);
    return;
  }
  const std::size_t count =
      std::min<std::size_t>(static_cast<std::size_t>(record.stack_bytes) / 8, SCAN_FRAMES);
  for (std::size_t i = 0; i < count && record.frames[i] != 0; ++i)
    row.stack.push_back(decode_frame(record.frames[i], symbols));
  if (row.stack.empty()) row.stack_problem = "the kernel gave no frames";
}

// Functions with a struct vm_fault among their locals (mm/memory.c, mm/hugetlb.c, 5.17 to 6.18);
// compilers inline __handle_mm_fault into its caller or add a suffix.
bool owns_vm_fault(const std::string& function) {
  return function.find("handle_mm_fault") != std::string::npos ||
         function.find("hugetlb_fault") != std::string::npos;
}

Halt halt_of(std::uint32_t facts) {
  if ((facts & SCAN_FACT_FROZEN) != 0) return Halt::frozen;
  if ((facts & SCAN_FACT_TRACED) != 0) return Halt::traced;
  return (facts & SCAN_FACT_STOPPED) != 0 ? Halt::stopped : Halt::none;
}

// Kernel's dev_t: include/linux/kdev_t.h.
constexpr unsigned kMinorBits = 20;

// What an earlier call has left on the stack looks the same: only the functions tell.
bool reads_or_writes(const TaskRow& row) {
  return std::any_of(row.stack.begin(), row.stack.end(), [](const StackFrame& frame) {
    constexpr std::array<std::string_view, 8> kCalls{"vfs_read",
                                                     "vfs_write",
                                                     "vfs_readv",
                                                     "vfs_writev",
                                                     "vfs_iter_read",
                                                     "vfs_iter_write",
                                                     "do_iter_readv_writev",
                                                     "io_issue_sqe"};
    return std::find(kCalls.begin(), kCalls.end(), frame.function) != kCalls.end();
  });
}

std::optional<FileWait> file_wait_of(const ScanTask& record, const TaskRow& row) {
  if (record.moved != 0) return std::nullopt;
  if (record.wait == SCAN_WAIT_FAULT && !row.fault) return std::nullopt;
  if (record.wait == SCAN_WAIT_FILE && !row.fault && !reads_or_writes(row)) return std::nullopt;
  FileWait wait;
  switch (record.wait) {
    case SCAN_WAIT_PAGE:
      wait.how = FileWait::How::page;
      break;
    case SCAN_WAIT_FREEZE:
      wait.how = FileWait::How::freeze;
      break;
    case SCAN_WAIT_FILE:
      wait.how = FileWait::How::file;
      break;
    case SCAN_WAIT_FAULT:
      wait.how = FileWait::How::fault;
      break;
    default:
      return std::nullopt;
  }
  wait.device_major = record.wait_device >> kMinorBits;
  wait.device_minor = record.wait_device & ((1U << kMinorBits) - 1);
  wait.inode = record.wait_inode;
  return wait;
}

}  // namespace

char state_letter(std::uint32_t state) {
  if (state == 0) return 'R';
  if ((state & 0x402U) == 0x402U) return 'I';
  if ((state & 0x2U) != 0) return 'D';
  if ((state & 0x1U) != 0) return 'S';
  if ((state & 0xcU) != 0) return 'T';
  if ((state & 0x8000U) != 0) return 'D';  // TASK_FROZEN, as /proc shows it
  return '?';
}

TaskRow decode_task(const ScanTask& record, const KernelSymbols& symbols) {
  TaskRow row;
  row.tid = record.tid;
  row.tgid = record.tgid;
  row.parent_tgid = record.parent;
  row.comm.assign(record.comm, ::strnlen(record.comm, sizeof(record.comm)));
  row.state = state_letter(record.state);
  row.task_address = record.task;
  row.mm = record.mm;
  row.kernel_thread = (record.flags & kKernelThread) != 0;
  row.halt = halt_of(record.facts);
  row.in_exec = (record.facts & SCAN_FACT_EXEC) != 0;
  row.cpu_throttled = (record.facts & SCAN_FACT_THROTTLED) != 0;
  decode_stack(record, symbols, row);
  if (const auto fault = decode_fault(record, row)) row.fault = fault->state;
  row.file_wait = file_wait_of(record, row);
  return row;
}

std::optional<ScannedFault> decode_fault(const ScanTask& record, const TaskRow& row) {
  std::optional<ScannedFault> found;
  const std::uint32_t kept = std::min<std::uint32_t>(record.faults, SCAN_FAULTS);
  for (std::uint32_t i = 0; i < kept; ++i) {
    const ScanFault& fault = record.fault[i];
    if (fault.frame == 0 || fault.frame > row.stack.size()) continue;
    if (!owns_vm_fault(row.stack[fault.frame - 1].function)) continue;
    ScannedFault out;
    out.state.address = fault.address;
    if ((fault.bits & SCAN_FAULT_FILE) != 0) out.state.file_offset = fault.pgoff << kPageShift;
    out.state.vma_lock = (fault.bits & SCAN_FAULT_VMA_LOCK) != 0;
    out.state.tried = (fault.bits & SCAN_FAULT_TRIED) != 0;
    out.mm = fault.mm;
    out.state.mkwrite = (fault.bits & SCAN_FAULT_MKWRITE) != 0;
    out.may_drop_lock = (fault.bits & SCAN_FAULT_ALLOW_RETRY) != 0 && !out.state.tried;
    out.waits = (fault.bits & SCAN_FAULT_NOWAIT) == 0;
    found = out;
  }
  return found;
}

bool has_frame(const TaskRow& row, std::string_view function) {
  return std::any_of(row.stack.begin(), row.stack.end(),
                     [function](const StackFrame& frame) { return frame.function == function; });
}

}  // namespace stallproof
