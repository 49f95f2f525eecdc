// SPDX-License-Identifier: Apache-2.0
// The parts of report.html, each complete HTML without script. Pure. Everything that comes from a
// run directory is escaped here.
#pragma once

#include <string>
#include <vector>

#include "harness/sink/report/interactive.h"
#include "harness/sink/report/run_contents.h"
#include "harness/sink/report/run_facts.h"

namespace stallproof {

std::string head_section(const RunContents& contents);     // run, verdict, what is missing
std::string verdict_section(const RunContents& contents);  // what zero means, dropouts, thresholds
std::string incidents_section(const RunContents& contents);
std::string loads_section(const RunContents& contents);
std::string machine_section(const RunContents& contents);   // environment, target, plan
std::string observer_section(const RunContents& contents);  // how well the watchdog saw

struct TimeSection {
  std::string html;
  std::string scripts;  // for the end of the page
};
// `nonce` names the page's own script; empty: it has none.
TimeSection time_section(const RunContents& contents, const std::string& nonce);

// `<dl>` of pairs; what has no value is left out. Names are ours, values are escaped.
std::string fact_list(const std::vector<Fact>& facts);

// Cells are escaped; columns of numbers stand right.
std::string html_table(const ReportTable& table);

// Charts of one load around an incident, or of the whole run.
std::string static_plot(const std::string& id, const std::string& svg, const std::string& high,
                        const std::string& low);
std::string axis_labels(const TimeAxis& axis);

}  // namespace stallproof
