// SPDX-License-Identifier: Apache-2.0
// Filling and checking of validated blocks: bytes per second of one thread, and what a bad block
// costs; and what it costs an I/O to have its key blocks for itself. Offsets advance, so that the
// pattern comes from the second cache as in a run.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <vector>

#include "workloads/io/key_map.h"
#include "workloads/io/validation_block.h"

namespace stallproof {
namespace {

constexpr std::size_t kMebibyte = 1U << 20U;

const ValidationPattern& pattern() {
  static const ValidationPattern made(kMebibyte);
  return made;
}

BlockIdentity identity() { return {0, 87, 0x1a2'02e1'6810, validation_name("sd1"), 9585}; }

void fill(benchmark::State& state) {
  std::vector<std::byte> block(static_cast<std::size_t>(state.range(0)));
  BlockIdentity wanted = identity();
  for (auto _ : state) {
    fill_block(block, wanted, pattern());
    wanted.offset += block.size();
    benchmark::DoNotOptimize(block.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(fill)->Arg(4 << 10)->Arg(128 << 10);

// A MiB of blocks, each with its own offset.
void check(benchmark::State& state, std::uint8_t expected_key) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::vector<std::byte> blocks(kMebibyte);
  fill_block(blocks, identity(), pattern());
  BlockIdentity wanted = identity();
  wanted.key = expected_key;
  for (auto _ : state) {
    const BlockReport report =
        check_block(std::span(blocks).subspan(wanted.offset, size), wanted, pattern());
    if ((report.what == BlockClass::good) != (expected_key == identity().key))
      state.SkipWithError("the block was not what it is");
    wanted.offset = (wanted.offset + size) % kMebibyte;
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(check, good, std::uint8_t{87})->Arg(4 << 10)->Arg(128 << 10);
BENCHMARK_CAPTURE(check, lost_write, std::uint8_t{88})->Arg(4 << 10);

void make_pattern(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(ValidationPattern(kMebibyte).data());
}
BENCHMARK(make_pattern);

// An I/O of so many key blocks of 4 KiB, of 1 GiB; all threads share one map.
void acquire_and_release(benchmark::State& state) {
  constexpr std::uint64_t kBlocks = 1U << 18U;
  static KeyMaps maps = [] {
    const KeyMapSpec spec{kBlocks * 4096, 4096};
    auto made = KeyMaps::create({&spec, 1}, kMebibyte, false);
    if (!made) std::abort();
    return std::move(*made);
  }();
  KeyMap map = maps.map(0);
  const auto count = static_cast<std::size_t>(state.range(0));
  Prng prng(static_cast<std::uint64_t>(state.thread_index()));
  std::vector<std::uint8_t> before(count);
  std::vector<std::uint8_t> after(count, 7);
  for (auto _ : state) {
    const std::uint64_t first = prng.below(kBlocks / count) * count;
    if (map.try_acquire(first, before) == KeyMap::Taken::yes) map.release(first, before, after);
  }
}
BENCHMARK(acquire_and_release)->Arg(1)->Arg(32)->Threads(1)->Threads(2);

}  // namespace
}  // namespace stallproof
