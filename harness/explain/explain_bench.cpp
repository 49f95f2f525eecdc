// SPDX-License-Identifier: Apache-2.0
// Time of explain() over the size of the snapshot: the reported stall, with readers queued behind
// its writer, waiting faults and idle tasks, a third each. And bytes per second of the reader of
// kernel logs, over a log of nothing but reports.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <array>
#include <limits>
#include <string>

#include "harness/base/file.h"
#include "harness/base/testing/tree_places.h"
#include "harness/explain/explain.h"
#include "harness/explain/kernel_report.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

using namespace fixture;

LockSnapshot crowded(std::int32_t tasks) {
  LockSnapshot snapshot = reported_stall();
  for (std::int32_t tid = 1000; tid < 1000 + tasks - 5; ++tid) {
    if (tid % 3 == 0) {
      snapshot.tasks.push_back(
          server({.tid = tid, .comm = "dataio_srv/9", .stack = service_wait()}));
      snapshot.locks[0].waiters.push_back(waits(tid, LockMode::read));
    } else if (tid % 3 == 1) {
      snapshot.tasks.push_back(faulter(tid));
      snapshot.locks[0].holders.push_back(read_holder(tid));
      snapshot.fuse[0].requests.push_back(request(tid, 15, kSecond));
    } else {
      snapshot.tasks.push_back(
          client({.tid = tid, .comm = "idle", .state = 'S', .stack = service_idle()}));
    }
  }
  return snapshot;
}

// Page faults on memory that each round gives back and takes again were half of the time, in a
// virtual machine, and none of it is explain()'s.
void keep_freed_memory() {
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

void explain_crowd(benchmark::State& state) {
  keep_freed_memory();
  const LockSnapshot snapshot = crowded(static_cast<std::int32_t>(state.range(0)));
  const FsKnowledge knowledge = shipped();
  benchmark::DoNotOptimize(explain(snapshot, knowledge));  // takes the memory
  for (auto _ : state) {
    const Explanation explanation = explain(snapshot, knowledge);
    if (!explanation.cycle) state.SkipWithError("the cycle was not found");
    benchmark::DoNotOptimize(explanation.nodes.data());
  }
  state.SetComplexityN(state.range(0));
}
BENCHMARK(explain_crowd)
    ->Arg(10)
    ->Arg(1000)
    ->Arg(10000)
    ->Complexity()
    ->Unit(benchmark::kMicrosecond);

std::string long_log(std::size_t bytes) {
  constexpr std::array<const char*, 5> kSamples = {"hung-3.10.log", "hung-6.18-owners.log",
                                                   "lockups.log", "errors.log", "innocent.log"};
  std::string round;
  for (const char* name : kSamples)
    if (const auto text =
            read_file(source_file(std::string("harness/explain/log/samples/") + name)))
      round += *text;
  std::string log;
  while (!round.empty() && log.size() < bytes) log += round;
  return log;
}

void read_kernel_log(benchmark::State& state) {
  const std::string log = long_log(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const KernelReports read = parse_kernel_reports(log);
    if (read.reports.empty()) state.SkipWithError("no report was found");
    benchmark::DoNotOptimize(read.reports.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(log.size()));
}
BENCHMARK(read_kernel_log)->Arg(1 << 20)->Arg(16 << 20)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace stallproof
