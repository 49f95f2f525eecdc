// SPDX-License-Identifier: Apache-2.0
// Reading and planning of parameter files: all golden files together, and a tree of a million files
// whose sizes are drawn one by one.
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness/base/testing/tree_places.h"
#include "workloads/io/arrivals.h"
#include "workloads/vdbench/plan.h"

namespace stallproof {
namespace {

std::vector<std::string> golden_files() {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(source_file("workloads/vdbench/golden")))
    if (entry.path().extension() == ".parm") files.push_back(entry.path());
  return files;
}

void next_arrival(benchmark::State& state) {
  Arrivals arrivals(kSecond, 50'000, ArrivalDistribution::exponential, 1);
  for (auto _ : state) benchmark::DoNotOptimize(arrivals.next());
}
BENCHMARK(next_arrival);

void plan_golden_files(benchmark::State& state) {
  const auto files = golden_files();
  for (auto _ : state) {
    std::size_t runs = 0;
    for (const std::string& file : files) {
      const auto plan = plan_parameter_files({file}, {}, {});
      runs += plan ? plan->runs.size() : 0;
    }
    if (runs < 100) state.SkipWithError("the golden files were not planned");
  }
}
BENCHMARK(plan_golden_files);

void plan_million_files(benchmark::State& state) {
  std::string path = "/tmp/stallproof-bench-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd >= 0) ::close(fd);
  std::ofstream(path) << "fsd=fsd1,anchor=/a,depth=2,width=100,files=100,sizes=(64k,0),wss=1g\n"
                         "fwd=fwd1,fsd=fsd1\nrd=rd1,fwd=fwd1,fwdrate=max\n";
  for (auto _ : state) {
    const auto plan = plan_parameter_files({path}, {}, {});
    if (!plan) state.SkipWithError(plan.error().what.c_str());
  }
  ::unlink(path.c_str());
}
BENCHMARK(plan_million_files);

}  // namespace
}  // namespace stallproof
