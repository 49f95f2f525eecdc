// SPDX-License-Identifier: Apache-2.0
// The explanation of a saved incident as explain made it, to be drawn again. Pure.
#pragma once

#include "harness/explain/explanation.h"
#include "harness/store/run_read.h"

namespace stallproof {

// Words that are unknown become the least telling ones: task, waits_for, inferred.
Explanation explanation_of(const StoredExplanation& stored);

}  // namespace stallproof
