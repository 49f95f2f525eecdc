// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/histogram_text.h"

#include <fmt/format.h>

namespace stallproof {
namespace {

// One sign for each two percent.
constexpr double kSignsPerPercent = 0.5;

std::string edge(std::uint64_t us) { return fmt::format("{:.3f}", static_cast<double>(us) / 1000); }

std::string with_commas(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string table(const std::string& title, const OpTotals& totals) {
  if (totals.count == 0) return {};
  std::string text = fmt::format(
      "{}\n {:>8} <  {:>10}   {:>10} {:>8} {:>8}  '+': Individual%; '+-': Cumulative%\n\n", title,
      "min(ms)", "max(ms)", "count", "%%", "cum%%");
  double before = 0;
  for (std::size_t i = 0; i < kResponseBuckets; ++i) {
    const double percent =
        100.0 * static_cast<double>(totals.buckets[i]) / static_cast<double>(totals.count);
    text += fmt::format(" {:>8} < {:>11} {:>12} {:8.4f} {:8.4f}  {}{}\n",
                        edge(i == 0 ? 0 : kResponseEdgesUs[i - 1]),
                        i < kResponseEdgesUs.size() ? edge(kResponseEdgesUs[i]) : "max",
                        with_commas(totals.buckets[i]), percent, before + percent,
                        std::string(static_cast<std::size_t>(percent * kSignsPerPercent), '+'),
                        std::string(static_cast<std::size_t>(before * kSignsPerPercent), '-'));
    before += percent;
  }
  return text + "\n";
}

}  // namespace

std::string histogram_text(const std::string& run, const IoTotals& totals) {
  OpTotals all = totals.read;
  all += totals.write;
  std::string text;
  if (totals.read.count > 0 && totals.write.count > 0)
    text += table(run + ": reads and writes", all);
  text += table(run + ": reads", totals.read);
  return text + table(run + ": writes", totals.write);
}

}  // namespace stallproof
