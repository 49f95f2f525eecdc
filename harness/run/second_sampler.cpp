// SPDX-License-Identifier: Apache-2.0
#include "harness/run/second_sampler.h"

#include <fmt/format.h>

namespace stallproof {

SecondSampler::Row SecondSampler::read(Nanos now_ns, const Board& board) {
  const ServicePanel& service = board.header().service;
  Row row{.at_ns = now_ns,
          .page_reads = service.page_reads.load(std::memory_order_relaxed),
          .direct_reads = service.direct_reads.load(std::memory_order_relaxed),
          .hazards = service.hazards.load(std::memory_order_relaxed)};
  for (const LoadEntry& load : board.loads()) {
    std::uint64_t ops = 0;
    for (const BoardSlot& slot : board.slots_of(load))
      ops += slot.ops.load(std::memory_order_relaxed);
    row.ops.push_back(ops);
  }
  return row;
}

void SecondSampler::start(Nanos start_ns, const Board& board) {
  rows_.assign(1, read(start_ns, board));
  next_ns_ = start_ns + kSecond;
}

void SecondSampler::sample_if_due(Nanos now_ns, const Board& board) {
  if (now_ns < next_ns_) return;
  rows_.push_back(read(now_ns, board));
  next_ns_ = now_ns + kSecond;
}

std::optional<std::uint64_t> SecondSampler::per_second_min(Field field, std::size_t load,
                                                           Nanos until_ns) const {
  std::optional<std::uint64_t> least;
  for (std::size_t i = 1; i < rows_.size() && rows_[i].at_ns <= until_ns; ++i) {
    const std::uint64_t growth = field(rows_[i], load) - field(rows_[i - 1], load);
    if (!least || growth < *least) least = growth;
  }
  return least;
}

std::string SecondSampler::csv(const Board& board, Nanos run_started_ns) const {
  std::string text = "end_ms,page_reads,direct_reads,hazards";
  for (const LoadEntry& load : board.loads()) text += fmt::format(",{}", load.name);
  text += '\n';
  for (std::size_t i = 1; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    const Row& before = rows_[i - 1];
    text += fmt::format("{},{},{},{}", (row.at_ns - run_started_ns) / kMillisecond,
                        row.page_reads - before.page_reads, row.direct_reads - before.direct_reads,
                        row.hazards - before.hazards);
    for (std::size_t load = 0; load < row.ops.size(); ++load)
      text += fmt::format(",{}", row.ops[load] - before.ops[load]);
    text += '\n';
  }
  return text;
}

}  // namespace stallproof
