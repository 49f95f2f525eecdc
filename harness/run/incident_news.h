// SPDX-License-Identifier: Apache-2.0
// What those who listen to a run are told, made from what the controller keeps. Pure, but for
// run_news(), which asks the kernel for its name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/run/incident_book.h"
#include "harness/run/run_clock.h"
#include "harness/sink/run_news.h"

namespace stallproof {

StallNews stall_news(const IncidentRecord& incident, const RunClock& clock,
                     const std::vector<std::string>& load_names);
// As a line of events.jsonl: "stall", "explained", "cycle_confirmed" or "stall_resolved".
std::string stall_event(std::string_view event, std::string_view prefix, const StallNews& news,
                        double t_ms);
DropoutNews dropout_news(const DropoutRecord& dropout, const RunClock& clock,
                         const std::vector<std::string>& load_names);
// Fills in what every run has: its id and directory, the machine, the start.
RunNews run_news(RunNews known, const RunDir& run, const RunClock& clock);

}  // namespace stallproof
