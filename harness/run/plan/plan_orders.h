// SPDX-License-Identifier: Apache-2.0
// What each process of a plan is told to do. Pure.
#pragma once

#include <vector>

#include "harness/board/board.h"
#include "harness/run/plan/plan.h"
#include "workloads/work_order.h"

namespace stallproof {

// `directory`: where relative paths begin. One order for each process, in the plan's order.
std::vector<WorkOrder> work_orders(const LoadPlan& plan, const std::string& directory);

}  // namespace stallproof
