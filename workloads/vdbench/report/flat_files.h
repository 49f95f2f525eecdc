// SPDX-License-Identifier: Apache-2.0
// flatfile.html of file-system runs: 89 columns. Pure.
#pragma once

#include <optional>
#include <string>

#include "workloads/vdbench/report/file_rows.h"
#include "workloads/vdbench/report/flat_text.h"

namespace stallproof {

// What was asked for; none where it was not, or the workloads differ. The transfer size in the file
// is the one that was seen.
struct FlatFiles {
  FlatStamp stamp;
  double requested_rate = 0;  // kMaxRate, too
  std::optional<double> threads;
  std::optional<double> compression_ratio = 1, dedup_ratio;
};

std::string flat_files_header();

// The spread of rates is that of an average; intervals have none. That of the requested operations
// is n/a if they are several.
std::string flat_files_line(const FlatFiles& asked, const FileRow& row,
                            const FileSpread& spread = {});

}  // namespace stallproof
