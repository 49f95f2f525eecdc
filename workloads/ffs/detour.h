// SPDX-License-Identifier: Apache-2.0
// Where a service thread goes before it answers, once a behaviour is armed: into the memory of the
// client that waits for the answer, or onto its own mount. It may not come back: that is the
// experiment.
#pragma once

#include <sys/types.h>

#include <atomic>

#include "harness/board/service_panel.h"
#include "workloads/ffs/ffs_options.h"
#include "workloads/ffs/service_job.h"

namespace stallproof {

// What ffs_get_user_page does, for clients that know no ioctl of ours: process_vm_readv takes their
// mmap_lock for read before it looks at the address (process_vm_rw_single_vec, 3.2 to 6.18), so an
// address that is mapped nowhere serves as well. Blocks as long as the lock is not to be had.
void lock_client_memory(pid_t client, ServicePanel& panel);

class Detour {
 public:
  // Keeps both references.
  Detour(const FfsOptions& options, ServicePanel& panel) : options_(options), panel_(panel) {}

  // Receiver thread: who opened a file for writing. Writeback requests name no process (nocreds in
  // fuse_writepages, fs/fuse/file.c, 6.12), so a service has to remember.
  void note_writer(pid_t client) { writer_.store(client, std::memory_order_relaxed); }
  // Service thread. One relaxed load when healthy.
  void before_answer(const ServiceJob& job) {
    const auto behaviour = static_cast<Behaviour>(panel_.behaviour.load(std::memory_order_relaxed));
    if (behaviour >= Behaviour::copy_at_read) go(behaviour, job);
  }

 private:
  void go(Behaviour behaviour, const ServiceJob& job);
  void visit_client(pid_t client);
  void read_own_mount(const ServiceJob& job) const;

  const FfsOptions& options_;
  ServicePanel& panel_;
  std::atomic<pid_t> writer_ = 0;
};

}  // namespace stallproof
