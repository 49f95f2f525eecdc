// SPDX-License-Identifier: Apache-2.0
// A fault gives mmap_lock up before it waits for a page, on its first try (filemap_fault, 6.12):
// slow as the service may be, threads that need the lock go on. Nothing here is a stall.
#include <array>

#include "harness/scenario/lab_words.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"slow", "the service answers each page read, after a pause", true}};
constexpr std::array kParams{
    kShortWarmup, ScenarioParameter{"pause", "400ms", "what the answer to a page read takes"},
    ScenarioParameter{"fault-threads", "4", "threads that fault on the mapped file"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  auto lab = small_ffs_lab(request.params, 4);
  if (!lab) return lab;
  const auto faulters = read_threads(request.params, "fault-threads");
  if (!faulters) return Failure(faulters.error());
  lab->loads = {{"mapped-fault", *faulters}, {"mprotect-storm", 1}};
  lab->worker.set("profile", "thread-churn");
  lab->worker.set("birth-rate", "500");
  lab->behaviour = Behaviour::slow_reads;
  lab->expected_class = "none";
  return lab;
}

}  // namespace

extern const Scenario kControlFirstTryFault;
const Scenario kControlFirstTryFault{
    .id = "control-first-try-fault",
    .summary = "page faults that wait for a slow service, without mmap_lock",
    .where = "host",
    .expected_class = "none",
    .variants = kVariants,
    .fixes = {},
    .params = kParams,
    .plan = plan};

}  // namespace stallproof
