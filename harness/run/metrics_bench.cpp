// SPDX-License-Identifier: Apache-2.0
// What metrics cost: an operation beside somebody who scrapes without pause, against one that is
// only on the board; and one scrape of some thousand series.
#include <benchmark/benchmark.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "harness/board/board.h"
#include "harness/board/evidence.h"
#include "harness/run/board_figures.h"
#include "harness/sink/metrics_text.h"
#include "harness/sink/run_metrics.h"

namespace stallproof {
namespace {

// A board with a thread for each of so many loads, and metrics of it.
class Run {
 public:
  explicit Run(std::uint32_t loads, std::uint32_t threads = 1) {
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < loads; ++i) names.push_back("load" + std::to_string(i));
    std::vector<Board::LoadSpec> specs;
    for (const std::string& name : names) specs.push_back({name, threads});
    board = std::move(*Board::create(specs, 1));
    metrics.on_begin({.run = "bench", .dir = "/nowhere", .started_ns = monotonic_now()},
                     make_figure_source(board.fd(), evidence_.fd()));
  }

  Board board;
  RunMetrics metrics;

 private:
  Evidence evidence_ = std::move(*Evidence::create());
};

void one_operation(benchmark::State& state, BoardSlot& slot) {
  for (auto _ : state) {
    OpScope scope(slot, Op::direct_read, 0);
    scope.done(4096);
  }
}

void op_without_metrics(benchmark::State& state) {
  const Board::LoadSpec load{"bench", 1};
  Board board = std::move(*Board::create({&load, 1}, 1));
  one_operation(state, board.slots()[0]);
}
BENCHMARK(op_without_metrics);

// Scraped ten times a second, as often as figures are read at all and more.
void op_beside_a_scraper(benchmark::State& state) {
  Run run(32);
  std::atomic<bool> over = false;
  std::thread scraper([&] {
    while (!over) {
      benchmark::DoNotOptimize(metrics_text(run.metrics.collect()));
      const timespec pause{0, 100'000'000};
      ::nanosleep(&pause, nullptr);
    }
  });
  one_operation(state, run.board.slots()[0]);
  over = true;
  scraper.join();
}
BENCHMARK(op_beside_a_scraper);

void one_scrape(benchmark::State& state) {
  Run run(32, static_cast<std::uint32_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::string text = metrics_text(run.metrics.collect());
    bytes = text.size();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(one_scrape)->Arg(1)->Arg(64);

void figures_read(benchmark::State& state) {
  Run run(32, static_cast<std::uint32_t>(state.range(0)));
  Evidence evidence = std::move(*Evidence::create());
  const auto source = make_figure_source(run.board.fd(), evidence.fd());
  for (auto _ : state) benchmark::DoNotOptimize(source->read());
}
BENCHMARK(figures_read)->Arg(1)->Arg(64);

}  // namespace
}  // namespace stallproof
