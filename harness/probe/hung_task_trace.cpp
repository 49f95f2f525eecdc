// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/hung_task_trace.h"

#include <bpf/libbpf.h>

#include "harness/probe/bpf_support.h"
#include "hung_task_bpf.skel.h"

namespace stallproof {

struct HungTaskTrace::Programs {
  hung_task_bpf* programs = nullptr;
  std::uint64_t seen = 0;

  Programs() = default;
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;
  ~Programs() { hung_task_bpf__destroy(programs); }
};

HungTaskTrace::HungTaskTrace(std::unique_ptr<Programs> programs) : programs_(std::move(programs)) {}
HungTaskTrace::HungTaskTrace(HungTaskTrace&&) noexcept = default;
HungTaskTrace& HungTaskTrace::operator=(HungTaskTrace&&) noexcept = default;
HungTaskTrace::~HungTaskTrace() = default;

Result<HungTaskTrace> HungTaskTrace::open() {
  const BpfWarningScope warnings;
  const std::string means = "needs root, Linux 5.5 with BTF and CONFIG_DETECT_HUNG_TASK";
  auto made = std::make_unique<Programs>();
  made->programs = hung_task_bpf__open();
  if (made->programs == nullptr) return bpf_refused("open of the hung-task trace", errno, means);
  int error = hung_task_bpf__load(made->programs);
  if (error != 0) return bpf_refused("load of the hung-task trace", error, means);
  error = hung_task_bpf__attach(made->programs);
  if (error != 0) return bpf_refused("attach of the hung-task trace", error, means);
  return HungTaskTrace(std::move(made));
}

std::optional<HungTask> HungTaskTrace::next() noexcept {
  Programs& own = *programs_;
  const auto* shared = own.programs->bss;
  const std::uint64_t count = __atomic_load_n(&shared->hung_count, __ATOMIC_ACQUIRE);
  if (count > own.seen + HUNG_TASKS_KEPT) own.seen = count - HUNG_TASKS_KEPT;
  if (own.seen >= count) return std::nullopt;
  return shared->hung_tasks[own.seen++ % HUNG_TASKS_KEPT];
}

}  // namespace stallproof
