// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/load_seconds.h"

#include <fmt/format.h>

#include <algorithm>

namespace stallproof {

LoadSeconds::Row LoadSeconds::read(Nanos now, const Board& board) {
  Row row{.at_ns = now, .ops = {}};
  for (const LoadEntry& load : board.loads()) {
    std::uint64_t ops = 0;
    for (const BoardSlot& slot : board.slots_of(load))
      ops += slot.ops.load(std::memory_order_relaxed);
    row.ops.push_back(ops);
  }
  return row;
}

void LoadSeconds::start(Nanos now, const Board& board) {
  began_ns_ = now;
  rows_.assign(1, read(now, board));
  next_ns_ = now + kSecond;
}

void LoadSeconds::sample_if_due(Nanos now, const Board& board) {
  if (now < next_ns_) return;
  rows_.push_back(read(now, board));
  next_ns_ = std::max(next_ns_ + kSecond, now + kSecond / 2);
}

std::optional<std::uint64_t> LoadSeconds::least(std::size_t load, Nanos warmup) const {
  std::optional<std::uint64_t> found;
  for (std::size_t i = 1; i < rows_.size(); ++i) {
    const Nanos from = rows_[i - 1].at_ns - began_ns_;
    if (from < warmup || !schedules_[load].on_throughout(from, rows_[i].at_ns - began_ns_))
      continue;
    const std::uint64_t grown = rows_[i].ops[load] - rows_[i - 1].ops[load];
    if (!found || grown < *found) found = grown;
  }
  return found;
}

double LoadSeconds::last_rate(std::size_t load) const {
  if (rows_.size() < 2) return 0;
  const Row& last = rows_[rows_.size() - 1];
  const Row& before = rows_[rows_.size() - 2];
  return static_cast<double>(last.ops[load] - before.ops[load]) * 1e9 /
         static_cast<double>(last.at_ns - before.at_ns);
}

std::string LoadSeconds::csv(const Board& board, Nanos run_started_ns) const {
  std::string text = "end_ms";
  for (const LoadEntry& load : board.loads()) text += fmt::format(",{}", load.name);
  text += '\n';
  for (std::size_t i = 1; i < rows_.size(); ++i) {
    text += fmt::format("{}", (rows_[i].at_ns - run_started_ns) / kMillisecond);
    for (std::size_t load = 0; load < rows_[i].ops.size(); ++load)
      text += fmt::format(",{}", rows_[i].ops[load] - rows_[i - 1].ops[load]);
    text += '\n';
  }
  return text;
}

}  // namespace stallproof
