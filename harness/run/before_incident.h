// SPDX-License-Identifier: Apache-2.0
// before/ of an incident: what the last minute before it was like. Loads (views.csv, every tick),
// the machine (system.csv, every second and closer when something was suspected), the kernel log
// (kmsg.txt), who was blocked where (blocked.txt).
#pragma once

#include <string>
#include <vector>

#include "harness/board/evidence.h"
#include "harness/run/live_lens.h"
#include "harness/store/run_dir.h"

namespace stallproof {

// `folder`: "incidents/001/before/". Times are CLOCK_MONOTONIC in nanoseconds, as in views.csv.
void save_before(RunDir& run, const std::string& folder, const EvidenceArea& area,
                 const std::vector<std::string>& load_names, const LiveLens& lens,
                 Nanos detected_ns);

// Pure: the CSV of rows, with a header that names disks and connections.
std::string system_csv(const EvidenceArea& area, const std::vector<SystemRow>& rows);

}  // namespace stallproof
