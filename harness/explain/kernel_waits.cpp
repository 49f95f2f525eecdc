// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/kernel_waits.h"

#include <array>

namespace stallproof {
namespace {

using enum KernelMeaning;

constexpr std::array kWaits{
    // mm/mmap_lock.c, include/linux/mm.h: waits until no page fault holds the VMA, 6.4 to 6.18.
    KernelFunction{"__vma_start_write", vma_write},
    KernelFunction{"__vma_enter_locked", vma_write},
    KernelFunction{"vma_start_write", vma_write},
    // fs/super.c. percpu_rwsem since 4.9 (waits in percpu_rwsem_wait since 5.7), a wait of its own
    // in __sb_start_write before.
    KernelFunction{"percpu_rwsem_wait", percpu_wait},
    KernelFunction{"__percpu_down_read", percpu_wait},
    KernelFunction{"percpu_down_read", percpu_wait},
    KernelFunction{"sb_start_write", freeze_user},
    KernelFunction{"__sb_start_write", freeze_user},
    KernelFunction{"sb_start_pagefault", freeze_user},
    KernelFunction{"sb_start_intwrite", freeze_user},
    KernelFunction{"file_start_write", freeze_user},
    KernelFunction{"mnt_want_write", freeze_user},
    KernelFunction{"mnt_want_write_file", freeze_user},
    KernelFunction{"vfs_write", freeze_user},
    KernelFunction{"vfs_writev", freeze_user},
    KernelFunction{"vfs_fallocate", freeze_user},
    KernelFunction{"do_page_mkwrite", freeze_user},
    KernelFunction{"ext4_page_mkwrite", freeze_user},
    KernelFunction{"ext4_journal_check_start", freeze_user},
    KernelFunction{"xfs_trans_alloc", freeze_user},
    KernelFunction{"sb_wait_write", freeze},  // 3.6 to 4.8
    // fs/exec.c: after these nothing leads back into the old program.
    KernelFunction{"begin_new_exec", exec_past},
    KernelFunction{"flush_old_exec", exec_past},  // before 5.8
    KernelFunction{"de_thread", exec_past},
    KernelFunction{"setup_new_exec", exec_past},
    KernelFunction{"handle_userfault", userfault},  // fs/userfaultfd.c, since 4.3
    // kernel/futex: since 6.16, since 5.16, before.
    KernelFunction{"futex_do_wait", futex},
    KernelFunction{"futex_wait_queue", futex},
    KernelFunction{"futex_wait_queue_me", futex},
    // kernel/fork.c: the parent of a vfork sleeps until the child has called execve.
    KernelFunction{"wait_for_vfork_done", vfork},
    KernelFunction{"kernel_clone", vfork},  // since 5.10
    KernelFunction{"_do_fork", vfork},      // 4.2 to 5.9
    KernelFunction{"do_fork", vfork},       // before
    // fs/namei.c, fs/dcache.c, fs/readdir.c: these take a directory's inode lock.
    KernelFunction{"path_openat", directory},
    KernelFunction{"open_last_lookups", directory},
    KernelFunction{"do_last", directory},
    KernelFunction{"lookup_slow", directory},
    KernelFunction{"__lookup_slow", directory},
    KernelFunction{"walk_component", directory},
    KernelFunction{"d_alloc_parallel", directory},
    KernelFunction{"d_wait_lookup", directory},
    KernelFunction{"filename_create", directory},
    KernelFunction{"start_dirop", directory},
    KernelFunction{"do_unlinkat", directory},
    KernelFunction{"do_rmdir", directory},
    KernelFunction{"do_mkdirat", directory},
    KernelFunction{"do_mknodat", directory},
    KernelFunction{"do_linkat", directory},
    KernelFunction{"do_symlinkat", directory},
    KernelFunction{"do_renameat2", directory},
    KernelFunction{"lock_rename", directory},
    KernelFunction{"lock_two_directories", directory},
    KernelFunction{"iterate_dir", directory},
    // block/, fs/iomap, fs/direct-io.c, fs/buffer.c: sleep until a block device answers.
    KernelFunction{"submit_bio_wait", block_io},
    KernelFunction{"blk_mq_get_tag", block_io},
    KernelFunction{"rq_qos_wait", block_io},
    KernelFunction{"blkdev_issue_flush", block_io},
    KernelFunction{"blk_execute_rq", block_io},
    KernelFunction{"__blkdev_direct_IO", block_io},
    KernelFunction{"__blkdev_direct_IO_simple", block_io},
    KernelFunction{"blkdev_direct_IO", block_io},
    KernelFunction{"__iomap_dio_rw", block_io},
    KernelFunction{"iomap_dio_rw", block_io},
    KernelFunction{"do_blockdev_direct_IO", block_io},
    KernelFunction{"__blockdev_direct_IO", block_io},
    KernelFunction{"__wait_on_buffer", block_io},
    // fs/jbd2/journal.c, transaction.c, commit.c; the two middle ones since 4.4.
    KernelFunction{"jbd2_log_wait_commit", journal_wait},
    KernelFunction{"add_transaction_credits", journal_wait},
    KernelFunction{"wait_transaction_locked", journal_wait},
    KernelFunction{"start_this_handle", journal_wait},
    KernelFunction{"do_get_write_access", journal_wait},
    KernelFunction{"jbd2_journal_commit_transaction", journal_commit},
    // Asynchronous: the waiter sleeps in S, whatever it waits for.
    KernelFunction{"io_cqring_wait", async_io},
    KernelFunction{"io_cqring_schedule", async_io},
    KernelFunction{"__io_cqring_wait_schedule", async_io},
    KernelFunction{"io_wq_worker", async_io},
    KernelFunction{"read_events", async_io},
    KernelFunction{"do_io_getevents", async_io},
    KernelFunction{"loop_process_work", loop_worker},  // drivers/block/loop.c, since 5.14
    KernelFunction{"loop_queue_work", loop_worker},    // before
    KernelFunction{"loop_handle_cmd", loop_worker},
    KernelFunction{"lo_rw_aio", loop_worker},
};

}  // namespace

std::span<const KernelFunction> kernel_waits() { return kWaits; }

}  // namespace stallproof
