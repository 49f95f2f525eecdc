// SPDX-License-Identifier: Apache-2.0
#include "harness/run/series/latency_growth.h"

#include <numeric>

namespace stallproof {
namespace {

double middle_us(std::size_t bucket) {
  const Nanos low = Histogram::low_edge(bucket);
  const Nanos high = bucket + 1 < Histogram::kBuckets ? Histogram::low_edge(bucket + 1) : low;
  return static_cast<double>(low + (high - low) / 2) / 1e3;
}

}  // namespace

LatencyGrowth::LatencyGrowth(const Board& board)
    : board_(board),
      running_(board.loads().size()),
      before_(board.loads().size()),
      growth_(board.loads().size()) {}

bool LatencyGrowth::advance(std::size_t threads) {
  const auto loads = board_.loads();
  const auto slots = board_.slots();
  for (; load_ < loads.size(); ++load_, next_slot_ = 0) {
    const LoadEntry& load = loads[load_];
    for (; next_slot_ < load.slot_count; ++next_slot_) {
      if (threads-- == 0) return false;
      const BoardSlot& slot = slots[load.first_slot + next_slot_];
      // Never touched: its pages need not even be there.
      if (slot.ops.load(std::memory_order_relaxed) == 0) continue;
      Counts& sum = running_[load_];
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += slot.latency.count_at(i);
    }
  }
  end_look();
  return true;
}

void LatencyGrowth::end_look() {
  for (std::size_t load = 0; load < running_.size(); ++load)
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
      const std::uint64_t now = running_[load][i], before = before_[load][i];
      growth_[load][i] = now > before ? now - before : 0;
      before_[load][i] = now;
      running_[load][i] = 0;
    }
  load_ = next_slot_ = 0;
}

bool LatencyGrowth::quantiles(std::size_t load, Quantiles& into) const {
  const Counts& counts = growth_[load];
  const std::uint64_t all = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (all == 0) return false;
  std::uint64_t seen = 0;
  bool half = false, most = false;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    seen += counts[i];
    into.max_us = middle_us(i);
    if (!half && seen > all / 2) {
      half = true;
      into.p50_us = into.max_us;
    }
    if (!most && seen > all * 99 / 100) {
      most = true;
      into.p99_us = into.max_us;
    }
  }
  return true;
}

void LatencyGrowth::each_class(
    std::size_t load, const std::function<void(Nanos from, std::uint64_t count)>& visit) const {
  const Counts& counts = growth_[load];
  for (std::size_t i = 0; i < counts.size(); i += kPerClass) {
    std::uint64_t count = 0;
    for (std::size_t each = i; each < i + kPerClass; ++each) count += counts[each];
    if (count > 0) visit(Histogram::low_edge(i), count);
  }
}

}  // namespace stallproof
