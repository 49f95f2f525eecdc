// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/kernel_functions.h"

#include <array>
#include <unordered_map>

#include "harness/explain/glob.h"
#include "harness/explain/kernel_observers.h"
#include "harness/explain/kernel_waits.h"

namespace stallproof {
namespace {

using enum KernelMeaning;

// kernel/sched, kernel/locking/rwsem*.c, arch/*/mm/fault.c, mm/, fs/fuse/dev.c; 3.10 to 6.18.
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
    KernelFunction{"__do_page_fault", fault_lock},       // x86, before; powerpc, 3.18 to 5.12
    KernelFunction{"___do_page_fault", fault_lock},      // powerpc, since 5.13
    KernelFunction{"do_page_fault", fault_lock},         // arm, arm64, riscv; x86 before 3.10
    KernelFunction{"do_exception", fault_lock},          // s390
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

// Families of names, asked when no row above fits. The first one that fits counts.
constexpr std::array kPatterns{
    KernelFunction{"down_read*", rwsem_read},
    KernelFunction{"__down_read*", rwsem_read},
    KernelFunction{"rwsem_down_read*", rwsem_read},
    KernelFunction{"down_write*", rwsem_write},
    KernelFunction{"_down_write*", rwsem_write},
    KernelFunction{"__down_write*", rwsem_write},
    KernelFunction{"rwsem_down_write*", rwsem_write},
    KernelFunction{"rwsem_*", rwsem},
    // kernel/sched, kernel/time
    KernelFunction{"__schedule*", scheduler},
    KernelFunction{"schedule_*", scheduler},
    KernelFunction{"io_schedule*", scheduler},
    KernelFunction{"preempt_schedule*", scheduler},
    KernelFunction{"__cond_resched*", scheduler},
    KernelFunction{"_cond_resched*", scheduler},
    KernelFunction{"__switch_to*", scheduler},
    KernelFunction{"finish_task_switch*", scheduler},
    KernelFunction{"bit_wait*", scheduler},
    KernelFunction{"__wait_on_bit*", scheduler},
    KernelFunction{"wait_on_bit*", scheduler},
    KernelFunction{"out_of_line_wait_on_*", scheduler},
    KernelFunction{"wait_for_completion*", scheduler},
    KernelFunction{"__wait_for_completion*", scheduler},
    KernelFunction{"do_wait_for_common", scheduler},
    KernelFunction{"wait_for_common*", scheduler},
    KernelFunction{"yield", scheduler},
    KernelFunction{"find_busiest_*", scheduler},
    KernelFunction{"load_balance*", scheduler},
    KernelFunction{"*idle_balance", scheduler},
    KernelFunction{"pick_next_*", scheduler},
    KernelFunction{"dequeue_task*", scheduler},
    KernelFunction{"dequeue_entit*", scheduler},
    KernelFunction{"update_curr*", scheduler},
    KernelFunction{"*preempt_count_*", scheduler},
    KernelFunction{"msleep*", scheduler},
    KernelFunction{"usleep_range*", scheduler},
    KernelFunction{"wait_woken", wait_primitive},
    KernelFunction{"prepare_to_wait*", wait_primitive},
    KernelFunction{"do_wait_intr*", wait_primitive},
    KernelFunction{"rcuwait_wait*", wait_primitive},
    KernelFunction{"*closure_sync*", wait_primitive},
    KernelFunction{"finish_wait", wait_primitive},
    KernelFunction{"add_wait_queue*", wait_primitive},
    KernelFunction{"remove_wait_queue", wait_primitive},
    KernelFunction{"*_wake_function", wait_primitive},
    KernelFunction{"wake_bit_function", wait_primitive},
    // what wait_on_bit called: 3.10, 2.6
    KernelFunction{"sleep_on_*", wait_primitive},
    KernelFunction{"sync_page*", wait_primitive},
    KernelFunction{"sync_buffer", wait_primitive},
    KernelFunction{"inode_wait", wait_primitive},
    // kernel/locking
    KernelFunction{"__mutex_lock*", sleep_lock},
    KernelFunction{"mutex_*", sleep_lock},
    KernelFunction{"__ww_mutex*", sleep_lock},
    KernelFunction{"ww_mutex*", sleep_lock},
    KernelFunction{"rt_mutex*", sleep_lock},
    KernelFunction{"__rt_mutex*", sleep_lock},
    KernelFunction{"_rt_mutex*", sleep_lock},
    KernelFunction{"rt_spin_*", sleep_lock},
    KernelFunction{"rt_read_*", sleep_lock},
    KernelFunction{"rt_write_*", sleep_lock},
    KernelFunction{"rtlock_*", sleep_lock},
    KernelFunction{"rwbase_*", sleep_lock},
    KernelFunction{"down", sleep_lock},
    KernelFunction{"down_interruptible", sleep_lock},
    KernelFunction{"down_killable", sleep_lock},
    KernelFunction{"down_timeout", sleep_lock},
    KernelFunction{"__down*", sleep_lock},
    KernelFunction{"percpu_down_*", sleep_lock},
    KernelFunction{"__percpu_down_*", sleep_lock},
    KernelFunction{"percpu_rwsem_*", sleep_lock},
    KernelFunction{"mmap_read_lock*", sleep_lock},
    KernelFunction{"mmap_write_lock*", sleep_lock},
    KernelFunction{"*_raw_spin_lock*", sleep_lock},
    KernelFunction{"*_raw_spin_unlock*", sleep_lock},
    KernelFunction{"_raw_read_*", sleep_lock},
    KernelFunction{"_raw_write_*", sleep_lock},
    KernelFunction{"*queued_spin_lock*", sleep_lock},
    KernelFunction{"queued_*_lock_slowpath", sleep_lock},
    KernelFunction{"do_raw_*_lock", sleep_lock},
    KernelFunction{"_spin_lock*", sleep_lock},
    KernelFunction{"*ticket_spin_lock*", sleep_lock},
    KernelFunction{"arch_*_lock*", sleep_lock},
    KernelFunction{"*spin_yield", sleep_lock},
    KernelFunction{"*rw_yield", sleep_lock},
    KernelFunction{"__lock_text_start", sleep_lock},
    KernelFunction{"*lock_kernel", sleep_lock},
    KernelFunction{"__lock_sock", sleep_lock},
    KernelFunction{"ldsem_down_*", sleep_lock},
    KernelFunction{"__ldsem_down_*", sleep_lock},
    KernelFunction{"f2fs_down_*", sleep_lock},
    KernelFunction{"*six_lock_slowpath", sleep_lock},
    KernelFunction{"up_read", sleep_lock},
    KernelFunction{"up_write", sleep_lock},
    KernelFunction{"xen_poll_irq*", sleep_lock},
    KernelFunction{"pv_wait*", sleep_lock},
    KernelFunction{"__pv_*", sleep_lock},
    KernelFunction{"kvm_wait", sleep_lock},
    KernelFunction{"osq_lock*", sleep_lock},
    KernelFunction{"*csd_lock_wait*", wait_primitive},
    // inlined: only in logs that decode_stacktrace.sh went over
    KernelFunction{"class_*structor", sleep_lock},
    KernelFunction{"inode_lock*", sleep_lock},
    KernelFunction{"device_lock*", sleep_lock},
    KernelFunction{"filemap_invalidate_lock*", sleep_lock},
    KernelFunction{"spin_lock*", sleep_lock},
    KernelFunction{"read_lock*", sleep_lock},
    KernelFunction{"write_lock*", sleep_lock},
    KernelFunction{"folio_lock*", folio_wait},
    // mm/filemap.c, fs/buffer.c, block/
    KernelFunction{"folio_wait_*", folio_wait},
    KernelFunction{"__folio_lock*", folio_wait},
    KernelFunction{"wait_on_page_*", folio_wait},
    KernelFunction{"__lock_page*", folio_wait},
    KernelFunction{"lock_page*", folio_wait},
    KernelFunction{"wait_on_buffer", wait_primitive},
    KernelFunction{"__lock_buffer", wait_primitive},
    KernelFunction{"lock_buffer", wait_primitive},
    KernelFunction{"wait_for_stable_page", wait_primitive},
    KernelFunction{"bio_await*", wait_primitive},
    KernelFunction{"blk_wait_io", wait_primitive},
    // kernel/workqueue.c, kernel/kthread.c, kernel/rcu
    KernelFunction{"flush_work", wait_primitive},
    KernelFunction{"__flush_work*", wait_primitive},
    KernelFunction{"flush_delayed_work", wait_primitive},
    KernelFunction{"flush_workqueue*", wait_primitive},
    KernelFunction{"__flush_workqueue", wait_primitive},
    KernelFunction{"kthread_flush_work*", wait_primitive},
    KernelFunction{"flush_kthread_work*", wait_primitive},
    KernelFunction{"drain_workqueue", wait_primitive},
    KernelFunction{"destroy_workqueue", wait_primitive},
    KernelFunction{"__cancel_work*", wait_primitive},
    KernelFunction{"cancel_work_sync", wait_primitive},
    KernelFunction{"cancel_delayed_work*", wait_primitive},
    KernelFunction{"kthread_stop*", wait_primitive},
    KernelFunction{"kthread_park", wait_primitive},
    KernelFunction{"*wait_rcu_gp*", wait_primitive},
    KernelFunction{"synchronize_rcu_normal", wait_primitive},
    KernelFunction{"__synchronize_srcu", wait_primitive},
    // drivers/dma-buf
    KernelFunction{"*fence_default_wait", wait_primitive},
    KernelFunction{"dma_fence_wait*", wait_primitive},
    KernelFunction{"fence_wait*", wait_primitive},
    KernelFunction{"dma_resv_wait_timeout*", wait_primitive},
    KernelFunction{"reservation_object_wait*", wait_primitive},
    // SPL, the Solaris layer of ZFS
    KernelFunction{"cv_*wait*", wait_primitive},
    KernelFunction{"__cv_*wait*", wait_primitive},
    // delays of a busy CPU
    KernelFunction{"delay_*", wait_primitive},
    KernelFunction{"__delay", wait_primitive},
    KernelFunction{"*udelay", wait_primitive},
    KernelFunction{"*ndelay", wait_primitive},
};

KernelMeaning meaning_by_pattern(std::string_view function) {
  for (const KernelFunction& row : kPatterns)
    if (glob_match(row.name, function)) return row.meaning;
  for (const std::string_view name : kernel_observers())
    if (glob_match(name, function)) return observer;
  return none;
}

}  // namespace

std::string_view without_suffix(std::string_view function) {
  for (const std::string_view suffix :
       {".isra.", ".constprop.", ".part.", ".cold", ".clone.", ".llvm.", ".lto_priv.", ".cfi"}) {
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
  function = without_suffix(function);
  const auto found = table.find(function);
  return found == table.end() ? meaning_by_pattern(function) : found->second;
}

bool is_way_to_wait(std::string_view function) {
  function = without_suffix(function);
  switch (kernel_meaning(function)) {
    case scheduler:
    case rwsem_read:
    case rwsem_write:
    case rwsem:
    case folio_wait:
    case sleep_lock:
    case wait_primitive:
    case observer:
    case percpu_wait:
    case vma_write:
    case futex:
      return true;
    case block_io:  // of these, the two that say nothing but that they wait
      return function == "submit_bio_wait" || function == "__wait_on_buffer";
    default:
      return false;
  }
}

}  // namespace stallproof
