// SPDX-License-Identifier: Apache-2.0
#define FUSE_USE_VERSION 35
#include "workloads/ffs/service_pool.h"

#include <fuse3/fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <utility>

#include "workloads/ffs/open_hazards.h"
#include "workloads/ffs/pattern.h"

namespace stallproof {
namespace {

std::span<std::byte> filled(std::vector<std::byte>& buffer, const ServiceJob& job) {
  if (buffer.size() < job.length) buffer.resize(job.length);
  const std::span<std::byte> data(buffer.data(), job.length);
  if (job.content) return data.first(job.content->read(job.offset, data));
  fill_pattern(job.offset, data);
  return data;
}

bool reply_data(fuse_req* request, std::span<const std::byte> data) {
  return fuse_reply_buf(request, reinterpret_cast<const char*>(data.data()), data.size()) == 0;
}

// Whether the reader's process has an io_uring. The buffers of our engine are registered: a file
// system in the kernel is handed their pages pinned and looks none up, so takes no lock of the
// client's. FUSE does not tell its server, but which engine a process has never changes.
bool reads_by_ring(pid_t reader) {
  thread_local std::map<pid_t, bool> known;
  const auto found = known.find(reader);
  if (found != known.end()) return found->second;
  bool ring = false;
  std::error_code ignored;
  const std::string files = "/proc/" + std::to_string(reader) + "/fd";
  for (const auto& file : std::filesystem::directory_iterator(files, ignored))
    ring |= std::filesystem::read_symlink(file.path(), ignored) == "anon_inode:[io_uring]";
  return known[reader] = ring;
}

}  // namespace

ServicePool::ServicePool(const FfsOptions& options, ServicePanel& panel, fuse_session* session)
    : options_(options), panel_(panel), session_(session), detour_(options, panel) {
  const unsigned queues = options.hashed ? options.service_threads : 1;
  for (unsigned i = 0; i < queues; ++i) jobs_.push_back(std::make_unique<Jobs>());
}

template <class Body>
void ServicePool::start_thread(const std::string& name, Body body) {
  running_.fetch_add(1);
  threads_.emplace_back([this, name, body] {
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
    body();
    running_.fetch_sub(1);
  });
}

void ServicePool::start_server(const std::string& name, Jobs& jobs) {
  start_thread(name, [this, &jobs] {
    std::vector<std::byte> buffer;
    while (const auto job = jobs.pop()) serve(*job, buffer);
  });
}

void ServicePool::start() {
  for (unsigned i = 0; i < options_.service_threads; ++i)
    start_server("dataio_srv/" + std::to_string(i), *jobs_[i % jobs_.size()]);
  for (unsigned i = 0; i < options_.page_threads; ++i)
    start_server("pageio_srv/" + std::to_string(i), page_jobs_);
  if (options_.service_notifies) return;
  start_thread("ffs_notify", [this] {
    while (const auto range = notices_.pop()) invalidate(*range);
  });
}

void ServicePool::submit(ServiceJob job) {
  const bool apart = job.kind == JobKind::page_read && options_.page_threads > 0;
  Jobs& jobs = apart ? page_jobs_ : *jobs_[queue_of(job.offset, jobs_.size())];
  jobs.push(std::move(job));
}

bool ServicePool::finish_by(Deadline deadline) {
  for (const auto& jobs : jobs_) jobs->close();
  page_jobs_.close();
  notices_.close();
  while (running_.load() > 0 && !deadline.passed()) ::poll(nullptr, 0, 1);
  if (running_.load() > 0) return false;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  return true;
}

void ServicePool::serve(const ServiceJob& job, std::vector<std::byte>& buffer) {
  detour_.before_answer(job);
  switch (job.kind) {
    case JobKind::page_read:
      return serve_page(job, buffer);
    case JobKind::copy_to_client:
      return serve_copy(job, buffer);
    case JobKind::locked_reply:
      if (!options_.locks_unpinned || !reads_by_ring(job.client))
        lock_client_memory(job.client, panel_);
      return serve_reply(job, buffer);
    case JobKind::direct_reply:
      return serve_reply(job, buffer);
    case JobKind::write:
    case JobKind::write_page:
    case JobKind::allocate:
    case JobKind::allocate_keep_size:
    case JobKind::punch_hole:
      return serve_change(job);
  }
}

void ServicePool::serve_page(const ServiceJob& job, std::vector<std::byte>& buffer) {
  const bool answered = job.answer_error ? fuse_reply_err(job.request, EIO) == 0
                                         : reply_data(job.request, filled(buffer, job));
  close_hazard(job.hazard);
  if (!answered) return;
  panel_.page_reads.fetch_add(1, std::memory_order_relaxed);
  if (job.answer_error) panel_.read_errors.fetch_add(1, std::memory_order_relaxed);
  if (!job.invalidate_after) return;
  const Range range{job.inode, job.offset, job.length};
  if (options_.service_notifies)
    invalidate(range);
  else
    notices_.push(range);
}

void ServicePool::serve_copy(const ServiceJob& job, std::vector<std::byte>& buffer) {
  const std::span<std::byte> data = filled(buffer, job);
  const iovec local{data.data(), data.size()};
  // An address of the client: never dereferenced here.
  const iovec remote{reinterpret_cast<void*>(job.client_buffer), data.size()};
  const ssize_t copied =
      data.empty() ? 0 : ::process_vm_writev(job.client, &local, 1, &remote, 1, 0);
  const int result = copied < 0 ? -errno : static_cast<int>(copied);
  if (result != static_cast<int>(data.size()))
    panel_.copy_failures.fetch_add(1, std::memory_order_relaxed);
  if (fuse_reply_ioctl(job.request, result, nullptr, 0) == 0)
    panel_.direct_reads.fetch_add(1, std::memory_order_relaxed);
}

void ServicePool::serve_reply(const ServiceJob& job, std::vector<std::byte>& buffer) {
  if (reply_data(job.request, filled(buffer, job)))
    panel_.direct_reads.fetch_add(1, std::memory_order_relaxed);
}

void ServicePool::serve_change(const ServiceJob& job) {
  if (job.kind == JobKind::write || job.kind == JobKind::write_page) {
    const auto written =
        job.content->write(job.offset, job.payload, job.kind == JobKind::write_page);
    const int sent = written ? fuse_reply_write(job.request, *written)
                             : fuse_reply_err(job.request, written.error());
    if (sent == 0) panel_.writes.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  Answer<> done;
  if (job.kind == JobKind::punch_hole)
    job.content->punch_hole(job.offset, job.length);
  else
    done = job.content->allocate(job.offset, job.length, job.kind == JobKind::allocate_keep_size);
  fuse_reply_err(job.request, done ? 0 : done.error());
}

void ServicePool::invalidate(const Range& range) {
  const int sent = fuse_lowlevel_notify_inval_inode(
      session_, range.inode, static_cast<off_t>(range.offset), static_cast<off_t>(range.length));
  if (sent == 0) panel_.invalidations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace stallproof
