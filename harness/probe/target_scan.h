// SPDX-License-Identifier: Apache-2.0
// Samples the threads of watched processes by a BPF task iterator (Linux 5.17 with BTF). The
// watchdog opens it before load starts; sample(), watch() and unwatch() allocate nothing. Costs
// about 1 µs per sleeping thread, and a lookup for every other task of the machine; the target
// itself runs no slower.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "harness/base/result.h"
#include "harness/probe/thread_sample.h"

namespace stallproof {

class TargetScan {
 public:
  static Result<TargetScan> open();
  TargetScan(TargetScan&&) noexcept;
  TargetScan& operator=(TargetScan&&) noexcept;
  ~TargetScan();

  // Thread groups; E2BIG when 1024 are watched.
  tl::expected<void, int> watch(pid_t tgid) noexcept;
  tl::expected<void, int> unwatch(pid_t tgid) noexcept;
  // All threads of the watched processes. The span is valid until the next call; an errno when the
  // iterator failed.
  tl::expected<std::span<const ThreadSample>, int> sample() noexcept;
  // The last sample had more threads than fit.
  [[nodiscard]] bool truncated() const;

 private:
  struct Programs;
  explicit TargetScan(std::unique_ptr<Programs> programs);
  std::unique_ptr<Programs> programs_;
};

}  // namespace stallproof
