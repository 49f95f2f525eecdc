// SPDX-License-Identifier: Apache-2.0
// What the stack of a sleeping task tells beside its functions: page faults, and the file it waits
// in. The same finds, by the same proofs, as the live lens makes (probe/scan_stack.bpf.h).
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>

#include "harness/explain/vmcore/kernel_btf.h"
#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/kernel_stack.h"
#include "harness/probe/scan_record.h"

namespace stallproof {

class StackFindings {
 public:
  StackFindings(const KernelMemory& memory, const KernelBtf& btf);
  // Faults on the task's own mm or one of `contended`; fills faults, fault and wait of `row`.
  void search(const StackCopy& stack, const std::vector<UnwoundFrame>& frames,
              const std::unordered_set<std::uint64_t>& contended, ScanTask& row) const;
  // Whether this kernel's fields are known well enough to find page faults.
  [[nodiscard]] bool finds_faults() const { return fault_.has_value(); }

 private:
  struct FaultFields {
    std::uint32_t pgoff, address, flags;
    std::uint32_t vm_start, vm_end, vm_mm, vm_pgoff, vm_file;
    std::uint32_t allow_retry, nowait, mkwrite, tried, vma_lock;
  };
  struct FileFields {
    std::uint32_t f_inode, i_sb, i_ino, i_mode, i_rdev, s_dev, s_root, d_sb;
  };
  struct PageFields {
    std::uint32_t up, mapping, host;  // up: from the entry's task back to its page
  };
  static std::optional<FaultFields> fault_fields(const KernelBtf& btf);
  static std::optional<FileFields> file_fields(const KernelBtf& btf);
  static std::optional<PageFields> page_fields(const KernelBtf& btf);

  bool is_fault(const StackCopy& stack, std::uint64_t at,
                const std::unordered_set<std::uint64_t>& contended, std::uint64_t own_mm,
                ScanFault& out) const;
  bool found_inode(std::uint64_t inode, ScanWait how, ScanTask& row) const;
  void faulted_file(std::uint64_t vma, ScanTask& row) const;
  void page_wait(const StackCopy& stack, std::uint64_t at, ScanTask& row) const;
  void file_call(const StackCopy& stack, std::uint64_t at, ScanTask& row) const;

  const KernelMemory& memory_;
  std::optional<FaultFields> fault_;
  std::optional<FileFields> file_;
  std::optional<PageFields> page_;
  std::optional<std::uint32_t> kiocb_complete_;
};

}  // namespace stallproof
