// SPDX-License-Identifier: Apache-2.0
// The files of series/ as a report needs them. Each appends to what is there; a file that does not
// exist adds nothing, a damaged one what is whole of it and a line in `problems`. Blocking.
#pragma once

#include <string>
#include <vector>

#include "harness/sink/report/run_contents.h"

namespace stallproof {

// series/loads.csv: a row per load and second.
void read_load_seconds(const std::string& path, RunContents& contents);
// series/seconds.csv of runs that have no loads.csv: operations alone, a column per load.
void read_old_seconds(const std::string& path, RunContents& contents);
// series/latency.csv: operations by duration, into the heat grids. After `span_s` is known.
void read_latency_classes(const std::string& path, RunContents& contents);
// series/windows.csv.
void read_windows(const std::string& path, RunContents& contents);
// series/around-ID.csv: every 100 ms around one incident.
std::vector<LoadSeries> read_around(const std::string& path, std::vector<std::string>& problems);

}  // namespace stallproof
