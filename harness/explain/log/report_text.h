// SPDX-License-Identifier: Apache-2.0
// Tests only: what a log reports, one line per report.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/explain/kernel_report.h"

namespace stallproof {

// "LINE KIND TASK/PID SECONDS FUNCTION [TITLE]"
inline std::string told(const LogReport& report) {
  return fmt::format("{} {} {}/{} {} {} [{}]", report.line, to_word(report.kind), report.task,
                     report.pid, report.seconds ? std::to_string(*report.seconds) : "-",
                     report.function, report.title);
}

using Lines = std::vector<std::string>;

inline Lines read_all(std::string_view text) {
  Lines lines;
  for (const LogReport& report : parse_kernel_reports(text).reports) lines.push_back(told(report));
  return lines;
}

}  // namespace stallproof
