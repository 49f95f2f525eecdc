// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "harness/board/board.h"
#include "workloads/io/io_account.h"
#include "workloads/io/io_panel.h"
#include "workloads/io/io_stream.h"

namespace stallproof {
namespace {

// Everything that an I/O costs besides its system call and the two looks at the clock.
void io_bookkeeping(benchmark::State& state) {
  const Board::LoadSpec load{"sd1", 1};
  auto board = Board::create(std::span(&load, 1), 1);
  auto panel = IoPanel::create(1, 1);
  BoardSlot& slot = board->slots()[0];
  const IoRequest io{.offset = 4096, .size = 4096};
  Nanos now = kSecond;
  for (auto _ : state) {
    io_begins(slot, io, now);
    io_ends(slot, panel->cell(0, 0), io, now, now + 50'000 + (now & 0xffff), 1, 0);
    now += 100'000;
  }
}
BENCHMARK(io_bookkeeping);

void choose_random_io(benchmark::State& state) {
  const JobStream stream{.read_percent = 70, .high = std::uint64_t{1} << 40U};
  StreamState shared(stream, {.size = std::uint64_t{1} << 40U});
  Chooser chooser(1, 0);
  for (auto _ : state) benchmark::DoNotOptimize(chooser.choose(shared));
}
BENCHMARK(choose_random_io);

void choose_sequential_io(benchmark::State& state) {
  JobStream stream{.xfersizes = {4096, 60, 65536, 40}, .high = std::uint64_t{1} << 40U};
  stream.seek_percent = 0;
  StreamState shared(stream, {.size = std::uint64_t{1} << 40U});
  Chooser chooser(1, 0);
  for (auto _ : state) benchmark::DoNotOptimize(chooser.choose(shared));
}
BENCHMARK(choose_sequential_io);

}  // namespace
}  // namespace stallproof
