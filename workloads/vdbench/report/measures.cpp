// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/report/measures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace stallproof {
namespace {

constexpr double kMebibyte = 1024.0 * 1024;

// vdbench adds this to what it writes with DecimalFormat: it makes halves of small numbers go up.
constexpr double kNudge = 1e-15;

}  // namespace

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double mib_per_second(std::uint64_t bytes, double seconds) {
  return seconds > 0 ? static_cast<double>(bytes) / seconds / kMebibyte : 0;
}

std::uint64_t bytes_each(const OpTotals& totals) {
  return totals.count > 0 ? totals.bytes / totals.count : 0;
}

double response_ms(const OpTotals& totals) {
  return totals.count > 0 ? totals.response_us / static_cast<double>(totals.count) / 1000 : 0;
}

double deviation_ms(const OpTotals& totals) {
  if (totals.count < 2) return 0;
  const auto count = static_cast<double>(totals.count);
  const double spread =
      count * totals.response_us_squared - totals.response_us * totals.response_us;
  // Equal response times may give a little less than none.
  return std::sqrt(std::max(spread, 0.0) / (count * (count - 1))) / 1000;
}

double read_percent(const OpTotals& read, const OpTotals& write) {
  const auto all = static_cast<double>(read.count + write.count);
  return all > 0 ? static_cast<double>(read.count) / all * 100 : 0;
}

double queue_depth(const IoTotals& totals, double seconds) {
  return seconds > 0 ? totals.outstanding_us / (seconds * 1e6) : 0;
}

OpTotals reads_and_writes(const IoTotals& totals) {
  OpTotals both = totals.read;
  return both += totals.write;
}

std::string fixed_text(double value, int width, int decimals) {
  // One step up lifts a half, and what lies nearest to one, over the edge.
  if (value > 0) value = std::nextafter(value, std::numeric_limits<double>::max());
  return fmt::format("{:>{}.{}f}", value, width, decimals);
}

std::string fitted_text(double value, int width, int decimals) {
  std::string text = fmt::format("{:.{}f}", value + kNudge, decimals);
  const auto room = static_cast<std::size_t>(width);
  if (const auto point = text.find('.'); point != std::string::npos && text.size() > room)
    text.resize(room > point + 1 ? room : point);
  return fmt::format("{:>{}}", text, width);
}

std::string trimmed_text(double value) {
  std::string text = fmt::format("{:.4f}", value + kNudge);
  text.resize(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace stallproof
