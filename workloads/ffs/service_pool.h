// SPDX-License-Identifier: Apache-2.0
// The service threads of ffs: dataio_srv/0..N-1, pageio_srv/0..M-1 when page reads have threads of
// their own, and ffs_notify, which sends invalidations so that no service thread waits in the
// kernel for a page whose read its own pool must answer (fuse_reverse_inval_inode, 6.18).
//
// submit() is called by the receiver; everything else by the main thread. A service thread may
// block for ever in process_vm_writev: that is the experiment. So nothing here joins a thread that
// has not ended, and the owner must _exit() instead of destroying a pool that did not finish.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness/base/clock.h"
#include "harness/board/service_panel.h"
#include "workloads/ffs/detour.h"
#include "workloads/ffs/ffs_options.h"
#include "workloads/ffs/job_queue.h"
#include "workloads/ffs/service_job.h"

struct fuse_session;

namespace stallproof {

class ServicePool {
 public:
  // Keeps both references and the session pointer; they outlive the threads.
  ServicePool(const FfsOptions& options, ServicePanel& panel, fuse_session* session);
  ServicePool(const ServicePool&) = delete;
  ServicePool& operator=(const ServicePool&) = delete;

  void start();
  // Never blocks longer than the queue's mutex.
  void submit(ServiceJob job);
  // Receiver: who opened a file for writing.
  void note_writer(pid_t client) { detour_.note_writer(client); }
  // Lets every thread end that can; true when all have. Then the pool may be destroyed.
  bool finish_by(Deadline deadline);

  // Which of `queues` a job at this file offset goes to: a segment of 1 MiB stays on one thread.
  static std::size_t queue_of(std::uint64_t offset, std::size_t queues) {
    return static_cast<std::size_t>((offset >> 20U) % queues);
  }

 private:
  struct Range {
    std::uint64_t inode;
    std::uint64_t offset;
    std::uint64_t length;
  };
  using Jobs = JobQueue<ServiceJob>;

  void start_server(const std::string& name, Jobs& jobs);
  void serve(const ServiceJob& job, std::vector<std::byte>& buffer);
  void serve_page(const ServiceJob& job, std::vector<std::byte>& buffer);
  void serve_copy(const ServiceJob& job, std::vector<std::byte>& buffer);
  void serve_change(const ServiceJob& job);
  void serve_reply(const ServiceJob& job, std::vector<std::byte>& buffer);
  void invalidate(const Range& range);
  template <class Body>
  void start_thread(const std::string& name, Body body);

  const FfsOptions& options_;
  ServicePanel& panel_;
  fuse_session* session_;
  Detour detour_;
  std::vector<std::unique_ptr<Jobs>> jobs_;  // one, or one for each service thread
  Jobs page_jobs_;
  JobQueue<Range> notices_;
  std::vector<std::thread> threads_;
  std::atomic<unsigned> running_ = 0;
};

}  // namespace stallproof
