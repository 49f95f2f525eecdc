// SPDX-License-Identifier: Apache-2.0
// Who the kernel's own hung-task detector reports, by its tracepoint (BPF; Linux 5.5 with BTF),
// also when the kernel log is silent because hung_task_warnings has reached 0. The watchdog opens
// it before load starts; next() reads shared memory and allocates nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "harness/base/result.h"
#include "harness/probe/hung_task.h"

namespace stallproof {

class HungTaskTrace {
 public:
  static Result<HungTaskTrace> open();
  HungTaskTrace(HungTaskTrace&&) noexcept;
  HungTaskTrace& operator=(HungTaskTrace&&) noexcept;
  ~HungTaskTrace();

  // The next report since open(), oldest first. Reports that were overwritten are skipped.
  std::optional<HungTask> next() noexcept;

 private:
  struct Programs;
  explicit HungTaskTrace(std::unique_ptr<Programs> programs);
  std::unique_ptr<Programs> programs_;
};

}  // namespace stallproof
