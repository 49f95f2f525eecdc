// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/kernel_functions.h"

#include <array>
#include <unordered_map>

#include "harness/explain/kernel_waits.h"

namespace stallproof {
namespace {

using enum KernelMeaning;

// kernel/sched, kernel/locking/rwsem*.c, arch/x86/mm/fault.c, mm/, fs/fuse/dev.c; 3.10 to 6.18.
// Live lenses leave out __sched functions (kernel/stacktrace.c), so `scheduler` and `rwsem*` rows
// are met in texts only; there the entry function itself is on top.
constexpr std::array kFunctions{
    KernelFunction{"__schedule", scheduler},
    KernelFunction{"schedule", scheduler},
    KernelFunction{"__switch_to", scheduler},
    KernelFunction{"context_switch", scheduler},
    KernelFunction{"schedule_timeout", scheduler},
    KernelFunction{"schedule_preempt_disabled", scheduler},
    KernelFunction{"schedule_hrtimeout_range", scheduler},
    KernelFunction{"schedule_hrtimeout_range_clock", scheduler},
    KernelFunction{"io_schedule", scheduler},
    KernelFunction{"io_schedule_timeout", scheduler},
    KernelFunction{"bit_wait", scheduler},
    KernelFunction{"bit_wait_io", scheduler},
    KernelFunction{"__wait_on_bit", scheduler},
    KernelFunction{"__wait_on_bit_lock", scheduler},
    KernelFunction{"out_of_line_wait_on_bit", scheduler},
    KernelFunction{"wait_for_completion", scheduler},
    KernelFunction{"wait_for_completion_killable", scheduler},
    KernelFunction{"__wait_for_common", scheduler},
    KernelFunction{"wait_for_common", scheduler},
    // 3.10 to 5.2: *_failed, in assembly before 4.20 (call_rwsem_*); *_slowpath since 5.3.
    KernelFunction{"rwsem_down_read_failed", rwsem_read},
    KernelFunction{"rwsem_down_read_failed_killable", rwsem_read},
    KernelFunction{"call_rwsem_down_read_failed", rwsem_read},
    KernelFunction{"call_rwsem_down_read_failed_killable", rwsem_read},
    KernelFunction{"rwsem_down_read_slowpath", rwsem_read},
    KernelFunction{"__down_read", rwsem_read},
    KernelFunction{"__down_read_common", rwsem_read},
    KernelFunction{"__down_read_killable", rwsem_read},
    KernelFunction{"down_read", rwsem_read},
    KernelFunction{"down_read_killable", rwsem_read},
    KernelFunction{"down_read_interruptible", rwsem_read},
    KernelFunction{"rwsem_down_write_failed", rwsem_write},
    KernelFunction{"rwsem_down_write_failed_killable", rwsem_write},
    KernelFunction{"call_rwsem_down_write_failed", rwsem_write},
    KernelFunction{"call_rwsem_down_write_failed_killable", rwsem_write},
    KernelFunction{"rwsem_down_write_slowpath", rwsem_write},
    KernelFunction{"__down_write", rwsem_write},
    KernelFunction{"__down_write_common", rwsem_write},
    KernelFunction{"__down_write_killable", rwsem_write},
    KernelFunction{"down_write", rwsem_write},
    KernelFunction{"down_write_killable", rwsem_write},
    KernelFunction{"rwsem_down_failed_common", rwsem},
    KernelFunction{"handle_mm_fault", fault},
    KernelFunction{"__handle_mm_fault", fault},
    KernelFunction{"handle_pte_fault", fault},
    KernelFunction{"do_fault", fault},
    KernelFunction{"__do_fault", fault},
    KernelFunction{"do_read_fault", fault},
    KernelFunction{"do_shared_fault", fault},
    KernelFunction{"do_cow_fault", fault},
    KernelFunction{"do_wp_page", fault},
    KernelFunction{"do_page_mkwrite", fault},
    KernelFunction{"lock_mm_and_find_vma", fault_lock},  // since 6.5
    KernelFunction{"do_user_addr_fault", fault_lock},    // x86, since 5.3
    KernelFunction{"__do_page_fault", fault_lock},       // x86, before
    KernelFunction{"filemap_fault", file_fault},
    KernelFunction{"folio_wait_bit_common", folio_wait},  // since 5.16
    KernelFunction{"folio_wait_bit", folio_wait},
    KernelFunction{"folio_wait_writeback", folio_wait},
    KernelFunction{"__folio_lock", folio_wait},
    KernelFunction{"__folio_lock_killable", folio_wait},
    KernelFunction{"__folio_lock_or_retry", folio_wait},
    KernelFunction{"wait_on_page_bit", folio_wait},  // before
    KernelFunction{"wait_on_page_bit_common", folio_wait},
    KernelFunction{"wait_on_page_bit_killable", folio_wait},
    KernelFunction{"__lock_page", folio_wait},
    KernelFunction{"__lock_page_or_retry", folio_wait},
    KernelFunction{"__lock_page_killable", folio_wait},
    KernelFunction{"do_mprotect_pkey", mprotect},  // since 4.9, and RHEL 7
    KernelFunction{"sys_mprotect", mprotect},
    KernelFunction{"SyS_mprotect", mprotect},
    KernelFunction{"vm_mmap_pgoff", mmap},
    KernelFunction{"ksys_mmap_pgoff", mmap},
    KernelFunction{"sys_mmap_pgoff", mmap},
    KernelFunction{"SyS_mmap_pgoff", mmap},
    KernelFunction{"do_mmap", mmap_inside},
    KernelFunction{"mmap_region", mmap_inside},
    KernelFunction{"__mmap_region", mmap_inside},
    KernelFunction{"vm_munmap", munmap},
    KernelFunction{"__vm_munmap", munmap},
    KernelFunction{"do_munmap", munmap_inside},
    KernelFunction{"__do_munmap", munmap_inside},
    KernelFunction{"do_vmi_munmap", munmap_inside},
    KernelFunction{"do_vmi_align_munmap", munmap_inside},
    KernelFunction{"vms_complete_munmap_vmas", munmap_inside},
    KernelFunction{"sys_munmap", munmap},
    KernelFunction{"SyS_munmap", munmap},
    KernelFunction{"__do_sys_munmap", munmap},
    KernelFunction{"do_mremap", mremap},
    KernelFunction{"sys_mremap", mremap},
    KernelFunction{"SyS_mremap", mremap},
    KernelFunction{"__do_sys_mremap", mremap},
    KernelFunction{"sys_brk", brk},
    KernelFunction{"SyS_brk", brk},
    KernelFunction{"__do_sys_brk", brk},
    // For write where the advice changes the mapping (MADV_RANDOM, MADV_DONTDUMP …), else for read:
    // mm/madvise.c madvise_need_mmap_write, 2.6.18 to 6.18.
    KernelFunction{"madvise_lock", madvise},  // since 6.15
    KernelFunction{"do_madvise", madvise},    // since 5.6
    KernelFunction{"sys_madvise", madvise},
    KernelFunction{"SyS_madvise", madvise},
    KernelFunction{"fuse_dev_do_read", hand_over},
};

}  // namespace

std::string_view without_suffix(std::string_view function) {
  for (const std::string_view suffix : {".isra.", ".constprop.", ".part.", ".cold"}) {
    const auto at = function.find(suffix);
    if (at != std::string_view::npos) function = function.substr(0, at);
  }
  return function;
}

KernelMeaning kernel_meaning(std::string_view function) {
  static const std::unordered_map<std::string_view, KernelMeaning> table = [] {
    std::unordered_map<std::string_view, KernelMeaning> built;
    for (const KernelFunction& row : kFunctions) built.emplace(row.name, row.meaning);
    for (const KernelFunction& row : kernel_waits()) built.emplace(row.name, row.meaning);
    return built;
  }();
  const auto found = table.find(without_suffix(function));
  return found == table.end() ? none : found->second;
}

}  // namespace stallproof
