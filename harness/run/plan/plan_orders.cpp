// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/plan_orders.h"

#include <algorithm>

namespace stallproof {
namespace {

Nanos earlier_end(Nanos one, Nanos other) {
  if (one == 0 || other == 0) return std::max(one, other);
  return std::min(one, other);
}

LoadSchedule schedule_of(const LoadPlan& plan, const PlanProcess& process, const PlanLoad& load) {
  LoadSchedule schedule;
  schedule.start = process.start + load.start;
  const Nanos process_end = process.duration == 0 ? 0 : process.start + process.duration;
  const Nanos load_end = load.duration == 0 ? 0 : schedule.start + load.duration;
  schedule.end = earlier_end(process_end, load_end);
  for (const PlanPhase& phase : plan.phases) {
    const bool on =
        std::find(phase.loads.begin(), phase.loads.end(), load.name) != phase.loads.end();
    schedule.phases.push_back({phase.duration, on});
  }
  return schedule;
}

}  // namespace

std::vector<WorkOrder> work_orders(const LoadPlan& plan, const std::string& directory) {
  std::vector<WorkOrder> orders;
  for (const PlanProcess& process : plan.processes) {
    WorkOrder order{.name = process.name, .cpus = process.cpus, .loads = {}};
    for (const PlanLoad& load : process.loads)
      order.loads.push_back(
          {.name = load.name,
           .workload = load.workload,
           .file = load.path.starts_with('/') ? load.path : directory + "/" + load.path,
           .thread_names = load.thread_names,
           .cpus = load.cpus,
           .schedule = schedule_of(plan, process, load),
           .settings = load.parameters});
    orders.push_back(std::move(order));
  }
  return orders;
}

}  // namespace stallproof
