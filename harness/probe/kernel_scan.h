// SPDX-License-Identifier: Apache-2.0
// Reads locks, blocked tasks and FUSE requests out of the running kernel by BPF iterators (5.17 and
// later), without taking a lock of anything it looks at.
//
// The watchdog calls open() before load starts: it loads and attaches everything, allocates and
// reads files. Its loop calls scan(), which makes one descriptor per pass (bpf_iter_create, no
// path), reads, and allocates nothing, nor when it fails; each pass is a read(2) that runs the
// program over all tasks, so it takes time in the number of tasks and files but waits for nobody.
// The kernel allocates a 32 KiB buffer per pass (bpf_seq_read, kernel/bpf/bpf_iter.c 6.18).
// One thread at a time per object. Thread ids are those of the initial pid namespace.
//
// Not seen: requests handed to a FUSE server by io_uring (its connection says so), locks other than
// mmap_lock where task_struct has no `blocker` (before 6.16, or not configured), servers whose
// /dev/fuse is only in flight on a socket.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "harness/base/result.h"

namespace stallproof {

struct ScanOptions {
  bool fuse = true;  // look for /dev/fuse among all open files
  // BTF file that says where the running kernel's fields are; empty: the kernel's own.
  std::string btf_path;
  // Threads of watched processes that are told only because they are watched, at most: of ten
  // thousand that sleep in the same place the records cost more than they say.
  std::uint32_t plain_limit = ~0U;
};

class KernelScan {
 public:
  // Error (Origin::lacking) when BPF is refused or a field is missing. Where only FUSE's types are
  // missing, the rest works and fuse_problem() says why.
  static Result<KernelScan> open(const ScanOptions& options = {});
  KernelScan(KernelScan&&) noexcept;
  KernelScan& operator=(KernelScan&&) noexcept;
  ~KernelScan();

  // From now on every thread of this process is in the scan, blocked or not. At most 1024.
  // Fails with an errno and allocates nothing: E2BIG when 1024 are watched.
  tl::expected<void, int> watch(pid_t tgid) noexcept;
  tl::expected<void, int> unwatch(pid_t tgid) noexcept;

  // full: everything. quick: contended mmap_locks and blocked tasks in one pass of some 0.3 us per
  // task of the machine, a third of the cost; for a machine on which nothing is suspected.
  enum class Depth { full, quick };
  // Fills `out` with records (scan_record.h) for decode_scan(); returns the bytes used. Too small a
  // buffer gives whole records, truncated(), and a note in the first record. Fails with an errno:
  // EINVAL when the buffer is smaller than one record, else that of bpf_iter_create or read.
  tl::expected<std::size_t, int> scan(std::span<std::byte> out, Depth depth = Depth::full) noexcept;
  [[nodiscard]] bool truncated() const;
  // Empty while FUSE requests are seen.
  [[nodiscard]] const std::string& fuse_problem() const;

 private:
  struct Programs;
  explicit KernelScan(std::unique_ptr<Programs> programs);
  std::unique_ptr<Programs> programs_;
};

}  // namespace stallproof
