// SPDX-License-Identifier: Apache-2.0
// The stack of a report, line by line. Pure and total.
#pragma once

#include <optional>
#include <string_view>

#include "harness/explain/log/report_draft.h"

namespace stallproof {

// Whether the line, not a header, belongs to the report; what it tells is kept in `draft`.
bool feed_report(std::string_view text, ReportDraft& draft);

// "NMI backtrace for cpu 2", "Task dump for CPU 2:", "CPU: 2 PID: 77 Comm: java …": the CPU, -1
// where it is not told. Absent for other lines.
std::optional<int> cpu_of_dump(std::string_view text);

}  // namespace stallproof
