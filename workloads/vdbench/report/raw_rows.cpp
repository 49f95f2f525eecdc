// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/raw_rows.h"

#include <fmt/format.h>

#include <cmath>

namespace stallproof {
namespace {

constexpr double kMegabyte = 1024.0 * 1024.0;

double mean_ms(const OpTotals& totals) {
  return totals.count == 0 ? 0 : totals.response_us / static_cast<double>(totals.count) / 1000;
}

double deviation_ms(const OpTotals& totals) {
  const auto n = static_cast<double>(totals.count);
  if (totals.count < 2) return 0;
  const double spread = n * totals.response_us_squared - totals.response_us * totals.response_us;
  return spread <= 0 ? 0 : std::sqrt(spread / (n * (n - 1))) / 1000;
}

}  // namespace

RawFigures figures_of(const RawRow& row) {
  OpTotals all = row.totals.read;
  all += row.totals.write;
  RawFigures figures{.response_ms = mean_ms(all),
                     .read_response_ms = mean_ms(row.totals.read),
                     .write_response_ms = mean_ms(row.totals.write),
                     .max_ms = all.max_us / 1000,
                     .read_max_ms = row.totals.read.max_us / 1000,
                     .write_max_ms = row.totals.write.max_us / 1000,
                     .deviation_ms = deviation_ms(all),
                     .read_deviation_ms = deviation_ms(row.totals.read),
                     .write_deviation_ms = deviation_ms(row.totals.write)};
  if (row.seconds > 0) {
    figures.rate = static_cast<double>(all.count) / row.seconds;
    figures.megabytes = static_cast<double>(all.bytes) / kMegabyte / row.seconds;
    figures.queue_depth = row.totals.outstanding_us / (row.seconds * 1e6);
  }
  if (all.count > 0) {
    figures.bytes_per_io = static_cast<double>(all.bytes) / static_cast<double>(all.count);
    figures.read_percent =
        100.0 * static_cast<double>(row.totals.read.count) / static_cast<double>(all.count);
  }
  return figures;
}

std::string raw_header(std::string_view date) {
  const auto line = [](std::string_view first, const std::array<std::string_view, 14>& words) {
    return fmt::format(
        "{:<12}{:>12} {:>10} {:>8} {:>7} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} "
        "{:>6} {:>5} {:>5}",
        first, words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7],
        words[8], words[9], words[10], words[11], words[12], words[13]);
  };
  return line(date, {"interval", "i/o", "MB/sec", "bytes", "read", "resp", "read", "write", "read",
                     "write", "resp", "queue", "cpu%", "cpu%"}) +
         "\n" +
         line("", {"", "rate", "1024**2", "i/o", "pct", "time", "resp", "resp", "max", "max",
                   "stddev", "depth", "sys+u", "sys"});
}

std::string raw_row(std::string_view time, const RawRow& row) {
  const RawFigures f = figures_of(row);
  return fmt::format(
      "{}{:>12} {:10.1f} {:8.2f} {:7.0f} {:6.2f} {:8.3f} {:8.3f} {:8.3f} {:8.2f} {:8.2f} {:8.3f} "
      "{:6.1f} {:5.1f} {:5.1f}",
      time, row.label, f.rate, f.megabytes, std::trunc(f.bytes_per_io), f.read_percent,
      f.response_ms, f.read_response_ms, f.write_response_ms, f.read_max_ms, f.write_max_ms,
      f.deviation_ms, f.queue_depth, row.cpu.user + row.cpu.kernel, row.cpu.kernel);
}

}  // namespace stallproof
