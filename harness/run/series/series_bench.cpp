// SPDX-License-Identifier: Apache-2.0
// What a second's rows cost the controller where very many threads have a histogram each.
#include <benchmark/benchmark.h>

#include <array>

#include "harness/run/series/latency_growth.h"
#include "harness/run/series/load_rows.h"

namespace stallproof {
namespace {

// One look at all of them, in as many turns as it takes; a turn is due every 90 ms.
void histograms_of_threads(benchmark::State& state) {
  const std::array loads{Board::LoadSpec{"threads", static_cast<std::uint32_t>(state.range(0))}};
  auto board = Board::create(loads, 1);
  if (!board) return state.SkipWithError(board.error().what.c_str());
  const auto complete = [&board] {
    for (BoardSlot& slot : board->slots()) {
      slot.latency.record(100 * 1000);
      slot.ops.fetch_add(1, std::memory_order_relaxed);
    }
  };
  complete();
  LatencyGrowth growth(*board);
  while (!growth.advance(LoadRows::kThreadsPerTurn)) continue;  // the first look maps the pages
  for (auto _ : state) {
    state.PauseTiming();
    complete();  // of threads that did nothing nothing is read
    state.ResumeTiming();
    while (!growth.advance(LoadRows::kThreadsPerTurn)) continue;
  }
}
BENCHMARK(histograms_of_threads)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace stallproof
