// SPDX-License-Identifier: Apache-2.0
// Lines by which block devices and file systems say that something failed: data, one row per form.
#pragma once

#include <span>
#include <string_view>

#include "harness/explain/kernel_report.h"

namespace stallproof {

struct ErrorLine {
  // line_pattern.h; gaps: {dev} {task} {pid} {op} {what}, and {fn}, which only the name of a
  // function fits.
  std::string_view pattern;
  std::string_view title;  // empty: not an error, whatever later rows say
  bool stalls = false;     // says that somebody waits
};

// The first row that fits counts.
std::span<const ErrorLine> io_error_lines();
std::span<const ErrorLine> fs_error_lines();
std::span<const ErrorLine> server_error_lines();  // of storage behind a network

}  // namespace stallproof
