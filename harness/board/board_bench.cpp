// SPDX-License-Identifier: Apache-2.0
// What one operation pays for being watched, and what one look at many threads costs.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "harness/board/board.h"
#include "harness/board/op_series.h"

namespace stallproof {
namespace {

Board board_of(std::uint32_t threads) {
  const Board::LoadSpec load{"bench", threads};
  return std::move(*Board::create({&load, 1}, 1));
}

void board_update_per_op(benchmark::State& state) {
  Board board = board_of(1);
  for (auto _ : state) {
    OpScope scope(board.slots()[0], Op::direct_read, 0);
    scope.done(4096);
  }
}
BENCHMARK(board_update_per_op);

void board_update_in_series(benchmark::State& state) {
  Board board = board_of(1);
  OpSeries ops(board.slots()[0]);
  for (auto _ : state) {
    ops.begin(Op::mprotect, 0);
    ops.end(true);
  }
}
BENCHMARK(board_update_in_series);

void histogram_record(benchmark::State& state) {
  auto histogram = std::make_unique<Histogram>();
  Nanos value = 1000;
  for (auto _ : state) {
    histogram->record(value);
    value = value * 5 / 4 % (10 * kSecond) + 1000;
  }
}
BENCHMARK(histogram_record);

void snapshot_read(benchmark::State& state) {
  const Board board = board_of(static_cast<std::uint32_t>(state.range(0)));
  for (auto _ : state) {
    Nanos oldest = ~0ULL;
    std::uint64_t ops = 0;
    for (const BoardSlot& slot : board.slots()) {
      ops += slot.ops.load(std::memory_order_relaxed);
      const Nanos started = slot.op_started_ns.load(std::memory_order_acquire);
      if (started != 0 && started < oldest) oldest = started;
    }
    benchmark::DoNotOptimize(oldest);
    benchmark::DoNotOptimize(ops);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(snapshot_read)->Arg(16)->Arg(500)->Arg(10000);

}  // namespace
}  // namespace stallproof
