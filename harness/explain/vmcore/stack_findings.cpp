// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/stack_findings.h"

#include <algorithm>

namespace stallproof {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr unsigned kPageShift = 12;
constexpr std::uint64_t kUserEnd = 0x0100000000000000ULL;  // 57-bit user addresses
constexpr std::uint32_t kTypeMask = 0170000;
constexpr std::uint32_t kRegular = 0100000;
constexpr std::uint32_t kBlockDevice = 0060000;

}  // namespace

StackFindings::StackFindings(const KernelMemory& memory, const KernelBtf& btf)
    : memory_(memory),
      fault_(fault_fields(btf)),
      file_(file_fields(btf)),
      page_(page_fields(btf)),
      kiocb_complete_(btf.offset("kiocb", {"ki_complete"})) {}

std::optional<StackFindings::FaultFields> StackFindings::fault_fields(const KernelBtf& btf) {
  const auto pgoff = btf.offset("vm_fault", {"pgoff"});
  const auto address = btf.offset("vm_fault", {"address"});
  const auto flags = btf.offset("vm_fault", {"flags"});
  const auto start = btf.offset("vm_area_struct", {"vm_start"});
  const auto end = btf.offset("vm_area_struct", {"vm_end"});
  const auto mm = btf.offset("vm_area_struct", {"vm_mm"});
  const auto first = btf.offset("vm_area_struct", {"vm_pgoff"});
  const auto file = btf.offset("vm_area_struct", {"vm_file"});
  // An enumeration since 5.13; numbers before, which are not in BTF.
  const auto retry = btf.enum_value("fault_flag", "FAULT_FLAG_ALLOW_RETRY");
  const auto nowait = btf.enum_value("fault_flag", "FAULT_FLAG_RETRY_NOWAIT");
  const auto mkwrite = btf.enum_value("fault_flag", "FAULT_FLAG_MKWRITE");
  const auto tried = btf.enum_value("fault_flag", "FAULT_FLAG_TRIED");
  if (!pgoff || !address || !flags || !start || !end || !mm || !first || !file || !retry ||
      !nowait || !mkwrite || !tried)
    return std::nullopt;
  const std::uint32_t lock = btf.enum_value("fault_flag", "FAULT_FLAG_VMA_LOCK").value_or(0);
  return FaultFields{*pgoff, *address, *flags,  *start,   *end,   *mm, *first,
                     *file,  *retry,   *nowait, *mkwrite, *tried, lock};
}

std::optional<StackFindings::FileFields> StackFindings::file_fields(const KernelBtf& btf) {
  const auto inode = btf.offset("file", {"f_inode"});
  const auto sb = btf.offset("inode", {"i_sb"});
  const auto number = btf.offset("inode", {"i_ino"});
  const auto mode = btf.offset("inode", {"i_mode"});
  const auto rdev = btf.offset("inode", {"i_rdev"});
  const auto device = btf.offset("super_block", {"s_dev"});
  const auto root = btf.offset("super_block", {"s_root"});
  const auto back = btf.offset("dentry", {"d_sb"});
  if (!inode || !sb || !number || !mode || !rdev || !device || !root || !back) return std::nullopt;
  return FileFields{*inode, *sb, *number, *mode, *rdev, *device, *root, *back};
}

std::optional<StackFindings::PageFields> StackFindings::page_fields(const KernelBtf& btf) {
  const auto task = btf.offset("wait_page_queue", {"wait.private"});
  const auto page = btf.offset("wait_page_queue", {"folio", "page"});  // renamed in 5.16
  auto mapping = btf.offset("folio", {"mapping"});
  if (!mapping) mapping = btf.offset("page", {"mapping"});
  const auto host = btf.offset("address_space", {"host"});
  if (!task || !page || !mapping || !host || *task < *page) return std::nullopt;
  return PageFields{*task - *page, *mapping, *host};
}

// A pointer to a VMA, an address inside of it, and the page offset that belongs to that address.
bool StackFindings::is_fault(const StackCopy& stack, std::uint64_t at,
                             const std::unordered_set<std::uint64_t>& contended,
                             std::uint64_t own_mm, ScanFault& out) const {
  const std::uint64_t vma = stack.word(at).value_or(0);
  const auto address = stack.word(at + fault_->address);
  const auto pgoff = stack.word(at + fault_->pgoff);
  if (!is_kernel_pointer(vma) || !address || !pgoff) return false;
  if (*address >= kUserEnd || *address < kPageBytes || *address % kPageBytes != 0) return false;
  const std::uint64_t start = memory_.pointer(vma + fault_->vm_start);
  if (start == 0 || *address < start || *address >= memory_.pointer(vma + fault_->vm_end))
    return false;
  const auto first = memory_.value<std::uint64_t>(vma + fault_->vm_pgoff);
  if (!first || *pgoff != *first + ((*address - start) >> kPageShift)) return false;
  out.mm = memory_.pointer(vma + fault_->vm_mm);
  if (out.mm == 0 || (out.mm != own_mm && !contended.contains(out.mm))) return false;
  const std::uint64_t flags_at = at + fault_->flags;
  const auto word = stack.word(flags_at & ~std::uint64_t{7});
  if (!word) return false;
  const auto flags = static_cast<std::uint32_t>(*word >> ((flags_at & 4U) * 8));
  const auto note = [&out, flags](std::uint32_t mask, std::uint32_t bit) {
    if ((flags & mask) != 0) out.bits |= bit;
  };
  out.address = *address;
  out.pgoff = *pgoff;
  out.bits = 0;
  note(fault_->tried, SCAN_FAULT_TRIED);
  note(fault_->allow_retry, SCAN_FAULT_ALLOW_RETRY);
  note(fault_->nowait, SCAN_FAULT_NOWAIT);
  note(fault_->vma_lock, SCAN_FAULT_VMA_LOCK);
  note(fault_->mkwrite, SCAN_FAULT_MKWRITE);
  if (memory_.pointer(vma + fault_->vm_file) != 0) out.bits |= SCAN_FAULT_FILE;
  return true;
}

bool StackFindings::found_inode(std::uint64_t inode, ScanWait how, ScanTask& row) const {
  if (!file_ || !is_kernel_pointer(inode)) return false;
  const std::uint64_t sb = memory_.pointer(inode + file_->i_sb);
  if (!is_kernel_pointer(sb)) return false;
  const std::uint64_t root = memory_.pointer(sb + file_->s_root);
  if (!is_kernel_pointer(root) || memory_.pointer(root + file_->d_sb) != sb) return false;
  const auto mode = memory_.value<std::uint16_t>(inode + file_->i_mode);
  const auto number = memory_.value<std::uint64_t>(inode + file_->i_ino);
  const bool device = mode && (*mode & kTypeMask) == kBlockDevice;
  const auto where =
      memory_.value<std::uint32_t>(device ? inode + file_->i_rdev : sb + file_->s_dev);
  if (!mode || !number || !where) return false;
  row.wait = how;
  row.wait_device = *where;
  row.wait_inode = *number;
  return true;
}

void StackFindings::faulted_file(std::uint64_t vma, ScanTask& row) const {
  const std::uint64_t file = memory_.pointer(vma + fault_->vm_file);
  if (file_ && is_kernel_pointer(file))
    found_inode(memory_.pointer(file + file_->f_inode), SCAN_WAIT_FAULT, row);
}

// `at` holds the task itself, as a wait queue entry keeps it.
void StackFindings::page_wait(const StackCopy& stack, std::uint64_t at, ScanTask& row) const {
  if (!page_ || at - stack.begin < page_->up) return;
  const std::uint64_t page = stack.word(at - page_->up).value_or(0);
  if (!is_kernel_pointer(page)) return;
  const std::uint64_t mapping = memory_.pointer(page + page_->mapping);
  if (is_kernel_pointer(mapping))
    found_inode(memory_.pointer(mapping + page_->host), SCAN_WAIT_PAGE, row);
}

// A kiocb without a completion function: of a call that waits for itself.
void StackFindings::file_call(const StackCopy& stack, std::uint64_t at, ScanTask& row) const {
  if (!file_ || !kiocb_complete_ || stack.word(at + *kiocb_complete_) != std::uint64_t{0}) return;
  const std::uint64_t inode = memory_.pointer(stack.word(at).value_or(0) + file_->f_inode);
  if (!is_kernel_pointer(inode)) return;
  const auto mode = memory_.value<std::uint16_t>(inode + file_->i_mode).value_or(0);
  const std::uint32_t type = mode & kTypeMask;
  if (type == kRegular || type == kBlockDevice) found_inode(inode, SCAN_WAIT_FILE, row);
}

void StackFindings::search(const StackCopy& stack, const std::vector<UnwoundFrame>& frames,
                           const std::unordered_set<std::uint64_t>& contended,
                           ScanTask& row) const {
  for (std::size_t i = 0; i < stack.words.size(); ++i) {
    const std::uint64_t word = stack.words[i];
    const std::uint64_t at = stack.begin + i * 8;
    if (!is_kernel_pointer(word)) continue;
    ScanFault fault{};
    if (fault_ && is_fault(stack, at, contended, row.mm, fault)) {
      fault.frame = static_cast<std::uint32_t>(
          std::count_if(frames.begin(), frames.end(),
                        [at](const UnwoundFrame& frame) { return frame.stack_address < at; }));
      row.fault[row.faults % SCAN_FAULTS] = fault;
      ++row.faults;
      if (row.wait == SCAN_WAIT_UNKNOWN) faulted_file(word, row);
    }
    // A page is waited for further in than the file that is read.
    if (row.wait != SCAN_WAIT_UNKNOWN && row.wait != SCAN_WAIT_FAULT) continue;
    if (word == row.task)
      page_wait(stack, at, row);
    else
      file_call(stack, at, row);
  }
}

}  // namespace stallproof
