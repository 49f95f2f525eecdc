// SPDX-License-Identifier: Apache-2.0
// Incidents, their length and what they wait for. Pure.
#pragma once

#include "harness/sink/family_list.h"

namespace stallproof {

void add_stall_metrics(const RunPicture& picture, const MetricsMoment& now, FamilyList& list);

}  // namespace stallproof
