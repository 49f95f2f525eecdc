// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/load_seconds.h"

#include <fmt/format.h>

#include <algorithm>

namespace stallproof {

LoadSeconds::Row LoadSeconds::read(Nanos now, const Board& board) {
  Row row{.at_ns = now};
  for (std::size_t i = 0; i < board.loads().size(); ++i)
    for (const BoardSlot& slot : board.slots_of(board.loads()[i]))
      row.ops[i] += slot.ops.load(std::memory_order_relaxed);
  return row;
}

void LoadSeconds::start(Nanos now, const Board& board) {
  began_ns_ = now;
  before_ = {};
  last_ = read(now, board);
  next_ns_ = now + kSecond;
}

bool LoadSeconds::sample_if_due(Nanos now, const Board& board) {
  if (now < next_ns_) return false;
  before_ = last_;
  last_ = read(now, board);
  next_ns_ = std::max(next_ns_ + kSecond, now + kSecond / 2);
  const Nanos from = before_.at_ns - began_ns_;
  if (from < warmup_) return true;
  for (std::size_t load = 0; load < least_.size(); ++load) {
    if (!schedules_[load].on_throughout(from, last_.at_ns - began_ns_)) continue;
    const std::uint64_t grown = last_.ops[load] - before_.ops[load];
    least_[load] = std::min(least_[load].value_or(grown), grown);
  }
  return true;
}

double LoadSeconds::last_rate(std::size_t load) const {
  if (before_.at_ns == 0) return 0;
  return static_cast<double>(last_.ops[load] - before_.ops[load]) * 1e9 /
         static_cast<double>(last_.at_ns - before_.at_ns);
}

std::string LoadSeconds::csv_header(const Board& board) {
  std::string text = "end_ms";
  for (const LoadEntry& load : board.loads()) text += fmt::format(",{}", load.name);
  return text + "\n";
}

std::string LoadSeconds::csv_row(Nanos run_started_ns) const {
  if (before_.at_ns == 0) return "";
  std::string text = fmt::format("{}", (last_.at_ns - run_started_ns) / kMillisecond);
  for (std::size_t load = 0; load < least_.size(); ++load)
    text += fmt::format(",{}", last_.ops[load] - before_.ops[load]);
  return text + "\n";
}

}  // namespace stallproof
