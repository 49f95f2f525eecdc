// SPDX-License-Identifier: Apache-2.0
#define FUSE_USE_VERSION 35
#include "workloads/ffs/ffs_session.h"

#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "workloads/ffs/data_file.h"
#include "workloads/ffs/ffs_ioctl.h"
#include "workloads/ffs/tree_ops.h"

namespace stallproof {
namespace {

// Nothing here ever changes but on our own notice, so attributes and names may stay cached.
constexpr double kForever = 3600.0;
// Above what the loads can have in flight: the kernel's own throttle (fuse_block_alloc,
// fs/fuse/dev.c, 6.12) must not decide the experiment.
constexpr unsigned kMaxBackground = 1024;
// Requests are small, but the kernel wants room for the largest write that libfuse negotiates,
// 256 pages (fuse_dev_do_read, 6.12).
constexpr std::size_t kRequestBytes = (1U << 20U) + (64U << 10U);

FfsSession& session_of(fuse_req* request) {
  return *static_cast<FfsSession*>(fuse_req_userdata(request));
}

void on_init(void* session, fuse_conn_info* connection) {
  connection->max_background = kMaxBackground;
  connection->congestion_threshold = kMaxBackground;
  // The file never changes: an invalidation must not cost a getattr before each read.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA);
  const FfsOptions& options = static_cast<FfsSession*>(session)->options();
  if (options.writable) negotiate_tree(options.writeback_cache, *connection);
}

void on_lookup(fuse_req* request, fuse_ino_t parent, const char* name) {
  if (parent != kRootInode || name != kDataName) {
    fuse_reply_err(request, ENOENT);
    return;
  }
  fuse_entry_param entry{};
  entry.ino = kDataInode;
  entry.attr = attributes_of(kDataInode, session_of(request).file_size());
  entry.attr_timeout = kForever;
  entry.entry_timeout = kForever;
  fuse_reply_entry(request, &entry);
}

void on_getattr(fuse_req* request, fuse_ino_t inode, fuse_file_info*) {
  const auto attributes = attributes_of(inode, session_of(request).file_size());
  fuse_reply_attr(request, &attributes, kForever);
}

void on_readdir(fuse_req* request, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info*) {
  const char* const names[] = {".", "..", kDataName.data()};
  char listing[256];
  std::size_t used = 0;
  for (auto next = static_cast<std::size_t>(offset); next < std::size(names); ++next) {
    const auto attributes = attributes_of(next == 2 ? kDataInode : kRootInode, 0);
    used += fuse_add_direntry(request, listing + used, sizeof listing - used, names[next],
                              &attributes, static_cast<off_t>(next + 1));
  }
  fuse_reply_buf(request, listing, std::min(used, size));
}

void on_open(fuse_req* request, fuse_ino_t, fuse_file_info* file) {
  if ((file->flags & O_ACCMODE) != O_RDONLY) {
    fuse_reply_err(request, EROFS);
    return;
  }
  file->keep_cache = 1;
  fuse_reply_open(request, file);
}

void on_read(fuse_req* request, fuse_ino_t inode, std::size_t size, off_t offset,
             fuse_file_info* file) {
  session_of(request).page_or_direct_read(request, inode, size, static_cast<std::uint64_t>(offset),
                                          file->flags);
}

void on_ioctl(fuse_req* request, fuse_ino_t inode, unsigned command, void*, fuse_file_info*,
              unsigned, const void* in, std::size_t in_size, std::size_t) {
  if (command != FFS_IOC_DIRECT_READ) {
    fuse_reply_err(request, ENOTTY);
    return;
  }
  session_of(request).direct_read_ioctl(request, inode, in, in_size);
}

fuse_lowlevel_ops operations(bool writable) {
  fuse_lowlevel_ops ops{};
  ops.init = on_init;
  ops.lookup = on_lookup;
  ops.getattr = on_getattr;
  ops.readdir = on_readdir;
  ops.open = on_open;
  ops.read = on_read;
  ops.ioctl = on_ioctl;
  if (writable) add_tree_operations(ops);
  return ops;
}

}  // namespace

Result<std::unique_ptr<FfsSession>> FfsSession::create(Board& board, const FfsOptions& options,
                                                       int device_fd) {
  std::unique_ptr<FfsSession> made(new FfsSession(board, options));
  if (options.writable) {
    auto store = PageStore::create(options.store_size);
    if (!store) return Failure{store.error()};
    made->store_ = std::move(*store);
    made->tree_ =
        std::make_unique<Tree>(*made->store_, attributes_of(kDataInode, options.file_size));
  }
  char program[] = "stallproof-ffs";
  char* words[] = {program, nullptr};
  fuse_args args = FUSE_ARGS_INIT(1, words);
  const fuse_lowlevel_ops ops = operations(options.writable);
  made->session_ = fuse_session_new(&args, &ops, sizeof ops, made.get());
  fuse_opt_free_args(&args);
  if (made->session_ == nullptr)
    return fail("ffs: libfuse refused to make a session", Origin::infra);
  const std::string device = "/dev/fd/" + std::to_string(device_fd);
  if (fuse_session_mount(made->session_, device.c_str()) != 0)
    return fail("ffs: libfuse does not take " + device + " (libfuse 3.3 or newer is needed)",
                Origin::infra);
  made->pool_ = std::make_unique<ServicePool>(options, board.header().service, made->session_);
  return made;
}

FfsSession::~FfsSession() {
  if (session_ != nullptr) fuse_session_destroy(session_);
}

// Reads the device itself: fuse_session_receive_buf (libfuse 3.14) complains on stderr when the
// connection is aborted, which here is an ordinary end.
void FfsSession::receive(const std::function<void()>& on_initialised) {
  std::vector<char> bytes(kRequestBytes);
  bool initialised = false;
  while (fuse_session_exited(session_) == 0) {
    if (!held_.empty() && !request_waits()) continue;
    const ssize_t received = ::read(fuse_session_fd(session_), bytes.data(), bytes.size());
    // ENOENT: the client was killed while its request was on the way (fuse_dev_do_read, 6.12).
    if (received < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;
    if (received <= 0) return;
    if (held_.keep({bytes.data(), static_cast<std::size_t>(received)})) continue;
    fuse_buf request{};
    request.mem = bytes.data();
    request.size = static_cast<std::size_t>(received);
    fuse_session_process_buf(session_, &request);
    // The first request of a connection is always FUSE_INIT.
    if (!std::exchange(initialised, true)) on_initialised();
  }
}

bool FfsSession::request_waits() {
  constexpr int kLookMs = 5;
  while (auto bytes = held_.next_due()) {
    fuse_buf request{};
    request.mem = bytes->data();
    request.size = bytes->size();
    fuse_session_process_buf(session_, &request);
  }
  pollfd device{fuse_session_fd(session_), POLLIN, 0};
  return held_.empty() || ::poll(&device, 1, kLookMs) > 0;
}

bool FfsSession::aim(ServiceJob& job, std::uint64_t inode, std::uint64_t offset,
                     std::uint64_t size) const {
  job.inode = inode;
  job.offset = offset;
  job.length = static_cast<std::size_t>(size);
  if (inode != kDataInode) {
    job.content = tree_ ? tree_->content(inode) : nullptr;
    return job.content != nullptr;
  }
  const std::uint64_t left = offset < options_.file_size ? options_.file_size - offset : 0;
  job.length = static_cast<std::size_t>(std::min(size, left));
  return true;
}

void FfsSession::page_or_direct_read(fuse_req* request, std::uint64_t inode, std::size_t size,
                                     std::uint64_t offset, int flags) {
  ServiceJob job;
  job.request = request;
  job.client = fuse_req_ctx(request)->pid;
  if (!aim(job, inode, offset, size)) {
    fuse_reply_err(request, EBADF);
    return;
  }
  if ((flags & O_DIRECT) != 0)
    job.kind = options_.locks_client ? JobKind::locked_reply : JobKind::direct_reply;
  else
    intake_.admit(job);
  pool_->submit(std::move(job));
}

void FfsSession::direct_read_ioctl(fuse_req* request, std::uint64_t inode, const void* in,
                                   std::size_t in_size) {
  ffs_direct_read wanted{};
  if (in_size >= sizeof wanted) std::memcpy(&wanted, in, sizeof wanted);
  ServiceJob job;
  if (wanted.magic != FFS_DIRECT_READ_MAGIC || wanted.version != FFS_DIRECT_READ_VERSION ||
      wanted.length > FFS_DIRECT_READ_MAX || !aim(job, inode, wanted.offset, wanted.length)) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  job.kind = JobKind::copy_to_client;
  job.request = request;
  job.client_buffer = wanted.buffer;
  job.client = fuse_req_ctx(request)->pid;
  pool_->submit(std::move(job));
}

void FfsSession::change_content(fuse_req* request, std::uint64_t inode, std::uint64_t offset,
                                std::uint64_t size, ServiceJob job) {
  job.request = request;
  job.client = fuse_req_ctx(request)->pid;
  if (inode == kDataInode || !aim(job, inode, offset, size)) {
    fuse_reply_err(request, EBADF);
    return;
  }
  pool_->submit(std::move(job));
}

}  // namespace stallproof
