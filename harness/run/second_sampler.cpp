// SPDX-License-Identifier: Apache-2.0
#include "harness/run/second_sampler.h"

#include <fmt/format.h>

#include <algorithm>

namespace stallproof {

SecondSampler::Row SecondSampler::read(Nanos now_ns, const Board& board) {
  const ServicePanel& service = board.header().service;
  Row row{.at_ns = now_ns,
          .page_reads = service.page_reads.load(std::memory_order_relaxed),
          .direct_reads = service.direct_reads.load(std::memory_order_relaxed),
          .hazards = service.hazards.load(std::memory_order_relaxed)};
  for (std::size_t i = 0; i < board.loads().size(); ++i)
    for (const BoardSlot& slot : board.slots_of(board.loads()[i]))
      row.ops[i] += slot.ops.load(std::memory_order_relaxed);
  return row;
}

SecondSampler::Row SecondSampler::growth(const Row& now, const Row& before) {
  Row grown{.at_ns = now.at_ns,
            .page_reads = now.page_reads - before.page_reads,
            .direct_reads = now.direct_reads - before.direct_reads,
            .hazards = now.hazards - before.hazards};
  for (std::size_t i = 0; i < grown.ops.size(); ++i) grown.ops[i] = now.ops[i] - before.ops[i];
  return grown;
}

void SecondSampler::lower(Row& least, const Row& growth) {
  least.at_ns = growth.at_ns;
  least.page_reads = std::min(least.page_reads, growth.page_reads);
  least.direct_reads = std::min(least.direct_reads, growth.direct_reads);
  least.hazards = std::min(least.hazards, growth.hazards);
  for (std::size_t i = 0; i < least.ops.size(); ++i)
    least.ops[i] = std::min(least.ops[i], growth.ops[i]);
}

void SecondSampler::start(Nanos start_ns, const Board& board) {
  loads_ = board.loads().size();
  last_ = read(start_ns, board);
  least_.resize(kKept);
  rows_ = 0;
  next_ns_ = start_ns + kSecond;
}

bool SecondSampler::sample_if_due(Nanos now_ns, const Board& board) {
  if (now_ns < next_ns_) return false;
  const Row now = read(now_ns, board);
  grown_ = growth(now, last_);
  last_ = now;
  Row least = rows_ == 0 ? grown_ : least_[(rows_ - 1) % kKept];
  lower(least, grown_);
  least_[rows_++ % kKept] = least;
  next_ns_ = now_ns + kSecond;
  return true;
}

std::optional<std::uint64_t> SecondSampler::per_second_min(Field field, std::size_t load,
                                                           Nanos until_ns) const {
  const std::size_t oldest = rows_ - std::min(rows_, kKept);
  for (std::size_t i = rows_; i > oldest; --i) {
    const Row& least = least_[(i - 1) % kKept];
    if (least.at_ns <= until_ns || (i - 1 == oldest && oldest > 0)) return field(least, load);
  }
  return std::nullopt;
}

std::string SecondSampler::csv_header(const Board& board) {
  std::string text = "end_ms,page_reads,direct_reads,hazards";
  for (const LoadEntry& load : board.loads()) text += fmt::format(",{}", load.name);
  return text + "\n";
}

std::string SecondSampler::csv_row(Nanos run_started_ns) const {
  if (rows_ == 0) return "";
  std::string text = fmt::format("{},{},{},{}", (grown_.at_ns - run_started_ns) / kMillisecond,
                                 grown_.page_reads, grown_.direct_reads, grown_.hazards);
  for (std::size_t load = 0; load < loads_; ++load) text += fmt::format(",{}", grown_.ops[load]);
  return text + "\n";
}

}  // namespace stallproof
