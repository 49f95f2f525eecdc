// SPDX-License-Identifier: Apache-2.0
// The reported stall with the crash core's own frames, inside the kernel: the module ffs_stub
// (kmod-stub) is the data path of its file system. Direct reads and mprotect are healthy alone; the
// circle closes when page faults on the mapped file begin. How the module is to be changed is said
// when it is loaded, so a fix names the module parameter that it needs.
#include <array>

#include "harness/scenario/kmod_words.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"faults", "page faults begin while direct reads and mprotect go on"}};
constexpr std::array kFixes{
    Named{"pin-in-submitter", "the caller pins the pages: the service takes no mmap_lock"},
    Named{"fault-retry", "a fault gives its mmap_lock up while it waits for its page"},
    Named{"separate-pool", "page reads have service threads of their own"},
    Named{"trylock", "the service never waits for an mmap_lock, the caller copies instead"}};
constexpr std::array kParams{
    kWarmupParameter,
    ScenarioParameter{"threads", "8", "threads that read directly, and as many that fault"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  auto lab = ffs_module_lab(request.params, request.fix);
  if (!lab) return lab;
  const auto threads = read_threads(request.params, 5);
  if (!threads) return Failure(threads.error());
  lab->expected_class = "mmap_lock_cycle";
  lab->expected_signatures = {"mmap_lock_cycle:fault_read>mprotect_write>service_read"};
  lab->expected_root = "fault/*";
  lab->loads = {{"direct-read", *threads}, {"mapped-fault", *threads}, {"mprotect-storm", 1}};
  lab->worker.set("fault-begin", "armed");
  // Nothing of the device is cached: a page that leaves the mapping is read again.
  lab->worker.set("fault-retouch", "dontneed");
  return lab;
}

}  // namespace

extern const Scenario kKmodMmapLock;
const Scenario kKmodMmapLock{
    .id = "kmod-mmap-lock",
    .summary = "the reported stall inside the kernel, with the crash core's own frames",
    .where = "VM",
    .expected_class = "mmap_lock_cycle",
    .variants = kVariants,
    .fixes = kFixes,
    .params = kParams,
    .plan = plan};

}  // namespace stallproof
