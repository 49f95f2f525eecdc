// SPDX-License-Identifier: Apache-2.0
// vdbench's response-time histograms as text. Pure.
#pragma once

#include <string>

#include "workloads/io/io_totals.h"

namespace stallproof {

// Reads, writes, and both where there were both; empty without I/O.
std::string histogram_text(const std::string& run, const IoTotals& totals);

}  // namespace stallproof
