// SPDX-License-Identifier: Apache-2.0
// What the BPF scans share: libbpf's reasons as errors, and reading an iterator into a buffer that
// exists. Loading happens before load starts; only read_bpf_iterator() is for the watchdog's loop.
#pragma once

#include <bpf/libbpf.h>

#include <cstddef>
#include <span>
#include <string>

#include "harness/base/result.h"

namespace stallproof {

// libbpf's print function is process-wide: ours is there only while we load. It keeps the line that
// names a cause.
class BpfWarningScope {
 public:
  BpfWarningScope();
  BpfWarningScope(const BpfWarningScope&) = delete;
  BpfWarningScope& operator=(const BpfWarningScope&) = delete;
  ~BpfWarningScope();
  static void forget();

 private:
  libbpf_print_fn_t before_;
};

// "BPF open of the task scan [the BTF has no …]: Permission denied (run as root; …)".
Failure bpf_refused(const std::string& what, int error);
// The same with other advice.
Failure bpf_refused(const std::string& what, int error, const std::string& try_this);

struct BpfReading {
  std::span<std::byte> out;
  std::size_t used = 0;
  bool full = false;
  int error = 0;
};
// One pass over everything. Allocates nothing.
void read_bpf_iterator(int link_fd, BpfReading& reading);

}  // namespace stallproof
