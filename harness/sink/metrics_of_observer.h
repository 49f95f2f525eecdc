// SPDX-License-Identifier: Apache-2.0
// Whether quiet proves anything, and what the kernel counts by itself. Pure.
#pragma once

#include "harness/sink/family_list.h"

namespace stallproof {

void add_observer_metrics(const RunPicture& picture, const MetricsMoment& now, FamilyList& list);

}  // namespace stallproof
