// SPDX-License-Identifier: Apache-2.0
// What one scan costs on a machine with thousands of sleeping threads, unwatched and watched, and
// what decoding it costs.
#include <benchmark/benchmark.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "harness/probe/decode_scan.h"
#include "harness/probe/kernel_scan.h"
#include "harness/probe/target_scan.h"

namespace stallproof {
namespace {

void* sleep_for_ever(void* /*unused*/) {
  for (;;) ::poll(nullptr, 0, -1);
}

// A process with this many sleeping threads, gone with the object.
class Sleepers {
 public:
  explicit Sleepers(long threads) {
    int ready[2];
    if (::pipe(ready) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      pthread_attr_t small;
      ::pthread_attr_init(&small);
      ::pthread_attr_setstacksize(&small, 64 << 10);
      pthread_t thread;
      for (long i = 1; i < threads; ++i) ::pthread_create(&thread, &small, sleep_for_ever, nullptr);
      static_cast<void>(!::write(ready[1], "x", 1));
      sleep_for_ever(nullptr);
    }
    char byte = 0;
    static_cast<void>(!::read(ready[0], &byte, 1));
    ::close(ready[0]);
    ::close(ready[1]);
  }
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;
  ~Sleepers() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

void scan_sleeping_threads(benchmark::State& state) {
  auto scan = KernelScan::open({.plain_limit = 1024});  // as the watchdog does
  if (!scan) return state.SkipWithError(scan.error().what.c_str());
  const Sleepers sleepers(state.range(0));
  if (state.range(1) != 0 && !scan->watch(sleepers.pid())) return state.SkipWithError("watch");
  std::vector<std::byte> buffer(16 << 20);
  std::size_t used = 0;
  for ([[maybe_unused]] auto _ : state) used = scan->scan(buffer).value_or(0);
  state.counters["bytes"] = static_cast<double>(used);
}
BENCHMARK(scan_sleeping_threads)
    ->ArgNames({"threads", "watched"})
    ->Args({1, 0})
    ->Args({4000, 0})
    ->Args({10000, 0})
    ->Args({100, 1})
    ->Args({500, 1})
    ->Args({1000, 1})
    ->Args({4000, 1})
    ->Args({10000, 1})
    ->Args({30000, 1})
    ->Unit(benchmark::kMicrosecond);

// Every second while nothing is suspected.
void quick_scan_sleeping_threads(benchmark::State& state) {
  auto scan = KernelScan::open({.plain_limit = 1024});
  if (!scan) return state.SkipWithError(scan.error().what.c_str());
  const Sleepers sleepers(state.range(0));
  if (!scan->watch(sleepers.pid())) return state.SkipWithError("watch");
  std::vector<std::byte> buffer(2 << 20);
  std::size_t used = 0;
  for ([[maybe_unused]] auto _ : state)
    used = scan->scan(buffer, KernelScan::Depth::quick).value_or(0);
  state.counters["bytes"] = static_cast<double>(used);
}
BENCHMARK(quick_scan_sleeping_threads)
    ->ArgName("threads")
    ->Arg(100)
    ->Arg(1000)
    ->Arg(10000)
    ->Arg(30000)
    ->Unit(benchmark::kMicrosecond);

// What the watchdog reads every tick of load that is not ours.
void sample_sleeping_threads(benchmark::State& state) {
  auto scan = TargetScan::open();
  if (!scan) return state.SkipWithError(scan.error().what.c_str());
  const Sleepers sleepers(state.range(0));
  if (!scan->watch(sleepers.pid())) return state.SkipWithError("watch");
  std::size_t seen = 0;
  for ([[maybe_unused]] auto _ : state) {
    const auto samples = scan->sample();
    seen = samples ? samples->size() : 0;
  }
  state.counters["threads"] = static_cast<double>(seen);
}
BENCHMARK(sample_sleeping_threads)
    ->ArgName("threads")
    ->Arg(100)
    ->Arg(1000)
    ->Arg(10000)
    ->Arg(30000)
    ->Unit(benchmark::kMicrosecond);

void decode_sleeping_threads(benchmark::State& state) {
  auto scan = KernelScan::open();
  const auto symbols = KernelSymbols::load();
  if (!scan || !symbols) return state.SkipWithError("needs root and BPF");
  const Sleepers sleepers(500);
  if (!scan->watch(sleepers.pid())) return state.SkipWithError("watch");
  std::vector<std::byte> buffer(4 << 20);
  const auto used = scan->scan(buffer);
  if (!used) return state.SkipWithError(std::strerror(used.error()));
  const auto bytes = std::span<const std::byte>(buffer).first(*used);
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(decode_scan(bytes, nullptr, *symbols));
}
BENCHMARK(decode_sleeping_threads)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace stallproof
