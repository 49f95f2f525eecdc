// SPDX-License-Identifier: Apache-2.0
// What vdbench's columns are computed from totals, and how its numbers are written. All are 0
// where nothing was done or no time passed. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/io/io_totals.h"

namespace stallproof {

double per_second(std::uint64_t count, double seconds);
double mib_per_second(std::uint64_t bytes, double seconds);
std::uint64_t bytes_each(const OpTotals& totals);

double response_ms(const OpTotals& totals);
// Of a sample: sqrt((n Σx² - (Σx)²) / (n (n - 1))), 0 below two operations.
double deviation_ms(const OpTotals& totals);

double read_percent(const OpTotals& read, const OpTotals& write);
// The mean number in flight; what never ended counts.
double queue_depth(const IoTotals& totals, double seconds);
OpTotals reads_and_writes(const IoTotals& totals);

// Right-aligned, halves of the written decimal number rounded up (105.25 with one decimal is
// 105.3). Longer than `width` if it must.
std::string fixed_text(double value, int width, int decimals);

// As fixed_text, but what does not fit loses decimals, which are cut off, not rounded: 970.966 in
// 5 is 970.9, 10111.08 is 10111. Exact halves go to the even digit.
std::string fitted_text(double value, int width, int decimals);

// Four decimals less the zeros at their end: 0.0176, 54.023, 100, 0.
std::string trimmed_text(double value);

}  // namespace stallproof
