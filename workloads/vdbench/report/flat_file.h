// SPDX-License-Identifier: Apache-2.0
// flatfile.html of raw runs: 34 columns, one blank between them and one behind the last, as
// position-counting parsers expect. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "workloads/vdbench/report/raw_rows.h"

namespace stallproof {

// What all rows of a run say; nullopt prints n/a (mixed or not given).
struct FlatRaw {
  std::string run;
  double requested_rate = 0;
  std::optional<double> xfersize, threads, read_percent, read_hits, write_hits, seek_percent;
  double lun_gigabytes = 0;
  std::string version = "5.04.07";  // of the format
};

// The lines before the first row: what each column means, and their names.
std::string flat_header();
// `time`: "17:08:39.047"; `stamp`: "11/22/2026-10:35:35-UTC".
std::string flat_line(std::string_view time, std::string_view stamp, const FlatRaw& run,
                      const RawRow& row);

}  // namespace stallproof
