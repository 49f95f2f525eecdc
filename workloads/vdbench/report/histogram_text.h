// SPDX-License-Identifier: Apache-2.0
// Response times in buckets, as in vdbench's histogram pages: edges in ms, counts, shares in
// percent and their sum, and bars of which 50 characters are all. Pure.
#pragma once

#include <string>
#include <string_view>

#include "workloads/io/io_totals.h"

namespace stallproof {

// Of a raw run: both together, reads, writes; one table if there was one kind only.
std::string histogram_text(const IoTotals& totals);

// One table with an empty line behind it; nothing if nothing was counted.
std::string histogram_table(std::string_view title, const OpTotals& totals);

}  // namespace stallproof
