// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/histogram_text.h"

#include <fmt/format.h>

#include <numeric>

#include "workloads/vdbench/report/measures.h"

namespace stallproof {
namespace {

constexpr double kBarPerPercent = 0.5;

std::uint64_t counted(const OpTotals& totals) {
  return std::accumulate(totals.buckets.begin(), totals.buckets.end(), std::uint64_t{0});
}

// 1234567 as 1,234,567.
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, ",");
  return text;
}

std::string edge_text(std::uint64_t edge_us) {
  return fixed_text(static_cast<double>(edge_us) / 1000, 0, 3);
}

std::string bar(double percent, char mark) {
  return std::string(static_cast<std::size_t>(percent * kBarPerPercent), mark);
}

}  // namespace

std::string histogram_table(std::string_view title, const OpTotals& totals) {
  const std::uint64_t all = counted(totals);
  if (all == 0) return "";
  std::string text = fmt::format(
      "{}\n {:>8} <  {:>10} {:>13} {:>8} {:>8}  '+': Individual%; '+-': Cumulative%\n\n", title,
      "min(ms)", "max(ms)", "count", "%%", "cum%%");
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < totals.buckets.size(); ++i) {
    so_far += totals.buckets[i];
    const double percent = static_cast<double>(totals.buckets[i]) * 100 / static_cast<double>(all);
    const double sum = static_cast<double>(so_far) * 100 / static_cast<double>(all);
    text += fmt::format(" {:>8} < {:>11} {:>13} {} {}  {}{}\n",
                        edge_text(i == 0 ? 0 : kResponseEdgesUs[i - 1]),
                        i < kResponseEdgesUs.size() ? edge_text(kResponseEdgesUs[i]) : "max",
                        grouped(totals.buckets[i]), fixed_text(percent, 8, 4),
                        fixed_text(sum, 8, 4), bar(percent, '+'), bar(sum - percent, '-'));
  }
  return text + "\n";
}

std::string histogram_text(const IoTotals& totals) {
  const OpTotals both = reads_and_writes(totals);
  if (counted(both) == 0) return "No statistics generated for this run.\n";
  if (counted(totals.write) == 0)
    return histogram_table("Only reads done for this workload:", both);
  if (counted(totals.read) == 0)
    return histogram_table("Only writes done for this workload:", both);
  return histogram_table("Reads and writes:", both) + histogram_table("Reads:", totals.read) +
         histogram_table("Writes:", totals.write);
}

}  // namespace stallproof
