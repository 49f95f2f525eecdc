// SPDX-License-Identifier: Apache-2.0
// Numbers and names of a run as a report words them, in HTML and in Markdown alike. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/sink/report/chart.h"
#include "harness/sink/report/run_contents.h"

namespace stallproof {

std::string count_words(double count);         // "571 k", "3.1"
std::string bytes_words(std::uint64_t bytes);  // "2.4 GiB"
std::string micros_words(double micros);       // "4.3 ms"

struct ZeroMeaning {
  std::string headline;  // "0 failing stalls in 10.0 h: …"
  std::string detail;
};
// What the stalls of this run, or their absence, say about the rate of stalls.
ZeroMeaning zero_meaning(const RunContents& contents);

// The command that runs the same again; empty when the run directory does not tell.
std::string rerun_command(const RunContents& contents);
// Stalls, dropouts, windows, in order of their beginning.
std::vector<Band> bands_of(const RunContents& contents);
TimeAxis axis_of(const RunContents& contents);
std::string verdict_word(const RunContents& contents);  // pass, fail, unknown, unfinished
// "SIGKILL"-like facts of one incident: when it began, was seen and was over.
std::string incident_times(const ReportIncident& incident, const TimeAxis& axis);

}  // namespace stallproof
