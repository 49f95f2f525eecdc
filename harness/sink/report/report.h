// SPDX-License-Identifier: Apache-2.0
// The report of a run in its forms, each one document. Pure but for a number of chance that names
// the page's own script (its policy lets no other one run).
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/sink/report/run_contents.h"

namespace stallproof {

// One HTML file that loads nothing. Whole without scripts; with them, and where uPlot was there at
// build time, its charts have zoom and cursor.
std::string html_report(const RunContents& contents, bool with_script);
// For an issue or a chat: all that the page tells but its charts, the graph as a list.
std::string markdown_report(const RunContents& contents);
// For programs: {schema, run, directory, verdict (verdict.json's word), meaning, rerun, what
// verdict.json tells beside stalls under its keys, environment, plan, incidents[] each with its
// explanation.json, files and commands, loads[], windows[], problems[]}
std::string json_report(const RunContents& contents);

// DIR/report.html of the run in DIR. Never judges: a failure is for one line.
Result<> write_report(const std::string& directory);

}  // namespace stallproof
