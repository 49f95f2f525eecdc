// SPDX-License-Identifier: Apache-2.0
// A program that is being started hangs inside execve, past the point of no return: it closes a
// file of a server that has been stopped. It holds exec_update_lock, so that ps, top and pgrep hang
// on its /proc/PID/stat, and every program that looks at processes with them.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"stopped", "the server of a file that execve closes is stopped (SIGSTOP)"},
    Named{"stopped-briefly", "it is stopped for 300 ms", true}};
constexpr std::array kParams{kWarmupParameter,
                             ScenarioParameter{"threads", "2", "threads that start programs"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.arming = Arming::stop_service;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "exec_stuck";
  lab.usual_signatures = {"exec_stuck:exec>service_stopped"};
  lab.expected_root = "exec-child/*";
  lab.loads.push_back({"exec-churn", *threads});
  lab.ffs.set("writable", "yes");  // else the kernel is told once that a flush means nothing
  if (request.variant == "stopped-briefly") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kExecStuck;
const Scenario kExecStuck{.id = "exec-stuck",
                          .summary = "execve hangs in closing a file of a server that is stopped",
                          .where = "host",
                          .expected_class = "exec_stuck",
                          .variants = kVariants,
                          .fixes = {},
                          .params = kParams,
                          .plan = plan};

}  // namespace stallproof
