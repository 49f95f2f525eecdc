// SPDX-License-Identifier: Apache-2.0
// A tree of a million files in memory: the time to plan it, and the memory that it holds.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include "workloads/files/anchor_tree.h"
#include "workloads/files/control_file.h"

namespace stallproof {
namespace {

JobAnchor million(std::vector<double> sizes) {
  return {.name = "fsd1",
          .path = "/a",
          .depth = 3,
          .width = 10,
          .files = 1000,
          .sizes = std::move(sizes)};
}

double held_mib() {
  const auto info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / (1 << 20);
}

void plan(benchmark::State& state, const std::vector<double>& sizes) {
  double most = 0;
  for (auto _ : state) {
    const double before = held_mib();
    auto tree = AnchorTree::plan(million(sizes), false);
    benchmark::DoNotOptimize(tree);
    most = std::max(most, held_mib() - before);
  }
  state.counters["MiB"] = most;
}
BENCHMARK_CAPTURE(plan, equal_sizes, {4096})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plan, drawn_sizes, {1 << 20, 0})->Unit(benchmark::kMillisecond);

void name_files(benchmark::State& state) {
  const auto tree = AnchorTree::plan(million({4096}), false);
  FileNumber file = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize((*tree)->file_path(file));
    file = (file + 7919) % (*tree)->files();
  }
}
BENCHMARK(name_files);

void tell_all_in_a_control_file(benchmark::State& state) {
  const auto tree = AnchorTree::plan(million({4096}), false);
  for (auto _ : state) benchmark::DoNotOptimize(control_text(**tree, ControlTime::end));
}
BENCHMARK(tell_all_in_a_control_file)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace stallproof
