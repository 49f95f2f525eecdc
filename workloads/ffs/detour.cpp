// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/detour.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "harness/base/fd.h"
#include "workloads/ffs/data_file.h"

namespace stallproof {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kUnmapped = 4096;

bool is_write(const ServiceJob& job) {
  return job.kind == JobKind::write || job.kind == JobKind::write_page;
}

void read_proc_file(pid_t client, const char* name) {
  const std::string path = "/proc/" + std::to_string(client) + "/" + name;
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[256];
  while (file.valid() && ::read(file.get(), text, sizeof text) > 0) continue;
}

}  // namespace

void lock_client_memory(pid_t client, ServicePanel& panel) {
  std::byte byte{};
  const iovec local{&byte, 1};
  const iovec remote{reinterpret_cast<void*>(std::uintptr_t{kUnmapped}), 1};
  const ssize_t copied = ::process_vm_readv(client, &local, 1, &remote, 1, 0);
  if (copied < 0 && errno != EFAULT) panel.copy_failures.fetch_add(1, std::memory_order_relaxed);
}

void Detour::go(Behaviour behaviour, const ServiceJob& job) {
  const pid_t client =
      is_write(job) && job.client == 0 ? writer_.load(std::memory_order_relaxed) : job.client;
  switch (behaviour) {
    case Behaviour::copy_at_read:
      if (job.kind == JobKind::page_read) visit_client(client);
      return;
    case Behaviour::copy_at_write:
      if (is_write(job)) visit_client(client);
      return;
    case Behaviour::audit_cmdline:
      if (is_write(job)) read_proc_file(client, "cmdline");
      return;
    case Behaviour::audit_comm:
      if (is_write(job)) read_proc_file(client, "comm");
      return;
    case Behaviour::own_mount:
      if (job.kind == JobKind::page_read) read_own_mount(job);
      return;
    default:
      return;
  }
}

// The pause lets a writer queue for the client's mmap_lock first.
void Detour::visit_client(pid_t client) {
  ::poll(nullptr, 0, static_cast<int>(options_.pause / kMillisecond));
  lock_client_memory(client, panel_);
}

// O_DIRECT: a page in the cache would need no answer.
void Detour::read_own_mount(const ServiceJob& job) const {
  const std::string path = options_.mount_dir + "/" + std::string(kDataName);
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT));
  if (!file.valid()) return;
  alignas(kPage) std::byte page[kPage];
  if (::pread(file.get(), page, kPage, static_cast<off_t>(job.offset)) < 0)
    panel_.copy_failures.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace stallproof
