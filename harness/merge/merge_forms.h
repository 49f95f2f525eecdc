// SPDX-License-Identifier: Apache-2.0
// A merge in each form that somebody reads it in. Pure. Names of strangers (nodes, builds, loads,
// threads) are escaped for the form; each ends in a newline.
#pragma once

#include <string>
#include <vector>

#include "harness/merge/activity.h"
#include "harness/merge/evidence.h"
#include "harness/merge/merge.h"

namespace stallproof {

// For a terminal; the first line is the sentence.
std::string merge_text(const Merged& merged, const std::string& directory);
// For a pipeline's summary page.
std::string merge_markdown(const Merged& merged, const std::vector<StallEvidence>& evidence);
// JUnit: one testsuite per node, one testcase per load, and one suite for what concerns all; a
// failing stall or a node that died is a failure, what is not known an error.
std::string merge_junit(const Merged& merged, const std::vector<StallEvidence>& evidence);
// One HTML file that loads nothing and has no script. `activities`: of merged.nodes, in their
// order.
std::string merge_html(const Merged& merged, const std::vector<Activity>& activities,
                       const std::vector<StallEvidence>& evidence);

}  // namespace stallproof
