// SPDX-License-Identifier: Apache-2.0
// The receiver of ffs: reads requests from /dev/fuse, answers metadata itself, admits page reads
// and hands every read and write over to the service threads. It never touches a client's memory
// and never waits for a service thread, so it always sees the next request.
//
// Owned by the main thread of the ffs process; receive() runs in the thread ffs_recv.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "harness/base/result.h"
#include "harness/board/board.h"
#include "workloads/ffs/ffs_options.h"
#include "workloads/ffs/held_requests.h"
#include "workloads/ffs/page_intake.h"
#include "workloads/ffs/page_store.h"
#include "workloads/ffs/service_pool.h"
#include "workloads/ffs/tree.h"

struct fuse_session;

namespace stallproof {

class FfsSession {
 public:
  // Keeps references to both; takes the mounted /dev/fuse descriptor over.
  static Result<std::unique_ptr<FfsSession>> create(Board& board, const FfsOptions& options,
                                                    int device_fd);
  FfsSession(const FfsSession&) = delete;
  FfsSession& operator=(const FfsSession&) = delete;
  // Only after receive() has returned and the pool has finished.
  ~FfsSession();

  // Blocks until the connection ends (abort or unmount). Calls `on_initialised` once FUSE_INIT has
  // been answered.
  void receive(const std::function<void()>& on_initialised);
  ServicePool& pool() { return *pool_; }

  // For the libfuse callbacks, in the receiver thread. An inode is `data` or a file of the tree.
  void page_or_direct_read(fuse_req* request, std::uint64_t inode, std::size_t size,
                           std::uint64_t offset, int flags);
  void direct_read_ioctl(fuse_req* request, std::uint64_t inode, const void* in,
                         std::size_t in_size);
  // Hands a job that writes, allocates or frees over; `job` says which, and with what.
  void change_content(fuse_req* request, std::uint64_t inode, std::uint64_t offset,
                      std::uint64_t size, ServiceJob job);
  // Only when the options say writable.
  [[nodiscard]] Tree& tree() { return *tree_; }
  [[nodiscard]] const FfsOptions& options() const { return options_; }
  [[nodiscard]] std::uint64_t file_size() const { return options_.file_size; }

 private:
  FfsSession(Board& board, const FfsOptions& options)
      : options_(options),
        intake_(board, options.file_size),
        held_(board.header().service, options.pause) {}
  // Hands over what is held no longer; false when there is nothing to read yet.
  bool request_waits();
  // False when there is no such file. Of `data`, the length is cut at the end of the file.
  bool aim(ServiceJob& job, std::uint64_t inode, std::uint64_t offset, std::uint64_t size) const;

  const FfsOptions& options_;
  PageIntake intake_;
  HeldRequests held_;
  fuse_session* session_ = nullptr;
  std::unique_ptr<PageStore> store_;
  std::unique_ptr<Tree> tree_;
  std::unique_ptr<ServicePool> pool_;  // first to go: its jobs hold contents
};

}  // namespace stallproof
