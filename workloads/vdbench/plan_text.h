// SPDX-License-Identifier: Apache-2.0
// A plan in the words of vdbench: people compare these lines, and programs read them. Pure.
#pragma once

#include <string>

#include "workloads/vdbench/plan.h"

namespace stallproof {

// RD=rd1; I/O rate: 100; elapsed=30 warmup=5; For loops: threads=1 xfersize=4k
std::string run_text(const PlannedRun& run, bool file_systems);

// A line "Simulating RD=…" for each run and one of totals, each with a newline.
std::string plan_text(const Plan& plan);

// 512, 4k, 4.500k, 1m: powers of 1024, also for what is no size (threads=1024 is 1k).
std::string size_text(double value);

}  // namespace stallproof
