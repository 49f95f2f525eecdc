// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/cpu_clock.h"

#include <array>
#include <charconv>

#include "harness/base/file.h"

namespace stallproof {
namespace {

CpuTimes read_times() {
  const auto text = read_file("/proc/stat");
  return text ? cpu_times_of(*text) : CpuTimes{};
}

CpuShares shares(const CpuTimes& now, const CpuTimes& before) {
  const auto spent = [](std::uint64_t later, std::uint64_t earlier) {
    return later > earlier ? static_cast<double>(later - earlier) : 0.0;
  };
  const double user = spent(now.user, before.user), kernel = spent(now.kernel, before.kernel);
  const double wait = spent(now.wait, before.wait), idle = spent(now.idle, before.idle);
  const double all = user + kernel + wait + idle;
  if (all <= 0) return {};
  return {100 * user / all, 100 * kernel / all, 100 * wait / all, 100 * idle / all};
}

}  // namespace

// cpu user nice system idle iowait irq softirq steal …
CpuTimes cpu_times_of(std::string_view proc_stat) {
  std::array<std::uint64_t, 8> fields{};
  const std::size_t end = proc_stat.find('\n');
  std::string_view line = proc_stat.substr(0, end);
  line.remove_prefix(line.starts_with("cpu") ? 3 : line.size());
  for (std::uint64_t& field : fields) {
    while (line.starts_with(' ')) line.remove_prefix(1);
    const auto [next, error] = std::from_chars(line.data(), line.data() + line.size(), field);
    if (error != std::errc()) break;
    line.remove_prefix(static_cast<std::size_t>(next - line.data()));
  }
  return {.user = fields[0] + fields[1],
          .kernel = fields[2] + fields[5] + fields[6] + fields[7],
          .wait = fields[4],
          .idle = fields[3]};
}

CpuShares CpuClock::lap() {
  const CpuTimes now = read_times();
  const CpuShares found = shares(now, last_);
  last_ = now;
  return found;
}

CpuShares CpuClock::since() const { return shares(read_times(), last_); }

}  // namespace stallproof
