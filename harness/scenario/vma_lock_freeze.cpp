// SPDX-License-Identifier: Apache-2.0
// One page fault holds up the whole process, without FUSE and without mmap_lock: a write to a clean
// page of a mapped file holds the lock of its VMA while the frozen file system lets it wait;
// mprotect of that VMA holds mmap_lock for write and waits for the fault; whoever maps memory waits
// for mmap_lock. The lock of a VMA has no owner that the kernel would know.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{Named{"frozen", "the file system is frozen and stays so"},
                               Named{"brief", "it is thawed after 300 ms", true}};
constexpr std::array kParams{
    kWarmupParameter,
    ScenarioParameter{"threads", "6",
                      "one writes pages, one calls mprotect, the rest map memory elsewhere"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 3);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "vma_lock_held";
  lab.usual_signatures = {"vma_lock_held:fault_read>mprotect_write"};
  lab.marks = {"percpu_rwsem_wait|__percpu_down_read|__sb_start_write"};
  lab.service = false;
  lab.injector = "freeze-disk";
  lab.arming = Arming::injection;
  lab.expected_root = "page-write/0";
  lab.loads.push_back({"page-write", *threads});
  if (request.variant == "brief") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kVmaLockFreeze;
const Scenario kVmaLockFreeze{
    .id = "vma-lock-freeze",
    .summary = "a page fault keeps the lock of its VMA, mprotect of it keeps mmap_lock",
    .where = "host",
    .expected_class = "vma_lock_held",
    .variants = kVariants,
    .fixes = {},
    .params = kParams,
    .plan = plan};

}  // namespace stallproof
