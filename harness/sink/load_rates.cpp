// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/load_rates.h"

#include <algorithm>
#include <cmath>

namespace stallproof {
namespace {

std::uint64_t grown(std::uint64_t before, std::uint64_t now) {
  return now >= before ? now - before : now;
}

}  // namespace

std::optional<double> quantile_us(const LatencyCounts& counts, double quantile) {
  std::uint64_t all = 0;
  for (const std::uint64_t count : counts) all += count;
  if (all == 0) return std::nullopt;
  const double rank = std::max(1.0, std::ceil(quantile * static_cast<double>(all)));
  double below = 0;
  for (std::size_t i = 0; i < kLatencyEdges.size(); ++i) {
    const auto count = static_cast<double>(counts[i]);
    if (below + count < rank) {
      below += count;
      continue;
    }
    const double lower = i == 0 ? 0 : kLatencyEdges[i - 1];
    return (lower + (kLatencyEdges[i] - lower) * (rank - below) / count) * 1e6;
  }
  return kLatencyEdges.back() * 1e6;
}

LoadRate rate_between(const LoadFigures& before, const LoadFigures& now, Nanos span) {
  if (span == 0) return {};
  const double seconds = static_cast<double>(span) / 1e9;
  LatencyCounts counts{};
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] = grown(before.latency[i], now.latency[i]);
  return {.ops_per_s = static_cast<double>(grown(before.ops, now.ops)) / seconds,
          .bytes_per_s = static_cast<double>(grown(before.bytes, now.bytes)) / seconds,
          .p99_us = quantile_us(counts, 0.99)};
}

const LoadFigures* find_load(const RunFigures& figures, const std::string& name) {
  for (const LoadFigures& load : figures.loads)
    if (load.name == name) return &load;
  return nullptr;
}

}  // namespace stallproof
