// SPDX-License-Identifier: Apache-2.0
// flatfile.html of raw runs: 34 columns. Programs count them: there are never more. Pure.
#pragma once

#include <optional>
#include <string>

#include "workloads/vdbench/report/flat_text.h"
#include "workloads/vdbench/report/raw_rows.h"

namespace stallproof {

// What was asked for. None where the workloads differ.
struct FlatRaw {
  FlatStamp stamp;
  double requested_rate = 0;  // kMaxRate, too
  std::optional<double> xfersize, threads;
  std::optional<double> read_percent, read_hits, write_hits, seek_percent;
  double lun_bytes = 0;         // of all luns of the run
  std::string version = "n/a";  // as vdbench has it
  std::optional<double> compression_ratio = 1, dedup_ratio;
};

std::string flat_raw_header();
std::string flat_raw_line(const FlatRaw& asked, const RawRow& row);

}  // namespace stallproof
