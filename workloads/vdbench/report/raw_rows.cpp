// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/raw_rows.h"

#include <fmt/format.h>

#include <array>

#include "workloads/vdbench/report/measures.h"

namespace stallproof {
namespace {

struct RawColumn {
  const char* above;
  const char* below;
  int width, decimals;
};

constexpr std::array<RawColumn, 14> kColumns = {{{"interval", "", 12, 0},
                                                 {"i/o", "rate", 10, 1},
                                                 {"MB/sec", "1024**2", 8, 2},
                                                 {"bytes", "i/o", 7, 0},
                                                 {"read", "pct", 6, 2},
                                                 {"resp", "time", 8, 3},
                                                 {"read", "resp", 8, 3},
                                                 {"write", "resp", 8, 3},
                                                 {"read", "max", 8, 2},
                                                 {"write", "max", 8, 2},
                                                 {"resp", "stddev", 8, 3},
                                                 {"queue", "depth", 6, 1},
                                                 {"cpu%", "sys+u", 5, 1},
                                                 {"cpu%", "sys", 5, 1}}};

}  // namespace

std::string raw_header(std::string_view date) {
  std::string above = fmt::format("{:<12}", date), below(12, ' ');
  const char* between = "";
  for (const RawColumn& column : kColumns) {
    above += fmt::format("{}{:>{}}", between, column.above, column.width);
    below += fmt::format("{}{:>{}}", between, column.below, column.width);
    between = " ";
  }
  return "\n" + above + "\n" + below + "\n";
}

std::string raw_row(std::string_view time, const RawRow& row) {
  const OpTotals& read = row.totals.read;
  const OpTotals& write = row.totals.write;
  const OpTotals both = reads_and_writes(row.totals);
  const std::array<double, kColumns.size() - 1> values = {per_second(both.count, row.seconds),
                                                          mib_per_second(both.bytes, row.seconds),
                                                          static_cast<double>(bytes_each(both)),
                                                          read_percent(read, write),
                                                          response_ms(both),
                                                          response_ms(read),
                                                          response_ms(write),
                                                          read.max_us / 1000,
                                                          write.max_us / 1000,
                                                          deviation_ms(both),
                                                          queue_depth(row.totals, row.seconds),
                                                          row.cpu.user + row.cpu.kernel,
                                                          row.cpu.kernel};
  std::string text = fmt::format("{}{:>{}}", time, row.label, kColumns[0].width);
  for (std::size_t i = 0; i < values.size(); ++i)
    text += " " + fixed_text(values[i], kColumns[i + 1].width, kColumns[i + 1].decimals);
  return text + "\n";
}

}  // namespace stallproof
