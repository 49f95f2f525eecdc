// SPDX-License-Identifier: Apache-2.0
// A stall that is nobody's but the program's own: its threads wait for a lock of user space. To the
// kernel they sleep, interruptibly and in good order, and the file system is innocent.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"held", "one thread sleeps and keeps the lock that the others wait for"},
    Named{"cycle", "two threads take two locks in opposite order"},
    Named{"held-briefly", "the lock is kept for 300 ms", true}};
constexpr std::array kParams{
    kWarmupParameter, ScenarioParameter{"threads", "6", "threads that take turns on the locks"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 3);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.service = false;
  lab.arming = Arming::load_itself;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "userspace";
  lab.usual_signatures = {"userspace:load>futex"};
  // Of two that wait for each other, none keeps the lock more than the other.
  if (request.variant != "cycle") lab.expected_root = "futex-lock/0";
  lab.loads.push_back({"futex-lock", *threads});
  lab.worker.set("lock-armed", request.variant == "cycle" ? "crosswise" : "kept");
  if (request.variant == "held-briefly") lab.worker.set("lock-lasts", kBriefly);
  return lab;
}

}  // namespace

extern const Scenario kUserspaceLock;
const Scenario kUserspaceLock{.id = "userspace-lock",
                              .summary = "threads wait for a lock of user space that is kept",
                              .where = "host",
                              .expected_class = "userspace",
                              .variants = kVariants,
                              .fixes = {},
                              .params = kParams,
                              .plan = plan};

}  // namespace stallproof
