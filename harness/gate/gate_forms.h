// SPDX-License-Identifier: Apache-2.0
// A gate's answer in each form that somebody reads it in. Pure. Names of strangers (builds, loads,
// nodes, threads) are escaped for the form; each ends in a newline.
#pragma once

#include <string>
#include <vector>

#include "harness/gate/gate.h"

namespace stallproof {

// For a terminal; the first line is the sentence.
std::string gate_text(const GateReport& report);
// For a pipeline's summary page, with the wait-for graph of each failing stall.
std::string gate_markdown(const GateReport& report);
// One document; "summary" is the sentence.
std::string gate_json(const GateReport& report, const std::vector<GatedRun>& runs);
// JUnit: one testsuite per run, one testcase per load and node; a failing stall is a failure, what
// is not known an error.
std::string gate_junit(const GateReport& report, const std::vector<GatedRun>& runs);

}  // namespace stallproof
