// SPDX-License-Identifier: Apache-2.0
// Lines by which block devices and file systems say that something failed: data, one row per form.
#pragma once

#include <span>
#include <string_view>

#include "harness/explain/kernel_report.h"

namespace stallproof {

struct ErrorLine {
  std::string_view pattern;  // line_pattern.h; gaps: {dev} {fn} {task} {op} {what}
  std::string_view title;    // empty: not an error, whatever later rows say
  bool stalls = false;       // says that somebody waits
};

// The first row that fits counts.
std::span<const ErrorLine> io_error_lines();
std::span<const ErrorLine> fs_error_lines();

}  // namespace stallproof
