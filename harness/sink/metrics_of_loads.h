// SPDX-License-Identifier: Apache-2.0
// Progress, latency and dropouts of the workloads. Pure.
#pragma once

#include "harness/sink/family_list.h"

namespace stallproof {

void add_load_metrics(const RunPicture& picture, const MetricsMoment& now, FamilyList& list);

}  // namespace stallproof
