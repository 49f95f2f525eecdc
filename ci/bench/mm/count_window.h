// SPDX-License-Identifier: Apache-2.0
// The frame of a bare loop: threads that count for themselves, counted between two moments.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

namespace bare {

// A thread's own count, on a cache line of its own. add() is a plain increment.
struct alignas(128) Count {
  std::atomic<std::uint64_t> done = 0;
  void add(std::uint64_t many = 1) {
    done.store(done.load(std::memory_order_relaxed) + many, std::memory_order_relaxed);
  }
};

struct Options {
  unsigned threads = 1;
  double seconds = 2;
  double warm = 0.5;
  std::string_view file;
  unsigned stride = 16;  // pages between two touches
};

inline std::uint64_t total(const std::vector<Count>& counts) {
  std::uint64_t sum = 0;
  for (const Count& count : counts) sum += count.done.load(std::memory_order_relaxed);
  return sum;
}

inline void wait(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

// loop(index, count, stop) in each thread, until stop; prints one JSON line and ends the process.
template <class Loop>
[[noreturn]] void measure(const Options& options, Loop loop) {
  std::vector<Count> counts(options.threads);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < options.threads; ++i)
    threads.emplace_back([&, i] { loop(i, counts[i], stop); });
  wait(options.warm);
  const auto began = std::chrono::steady_clock::now();
  const std::uint64_t before = total(counts);
  wait(options.seconds);
  const std::uint64_t ops = total(counts) - before;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::printf("{\"ops\": %llu, \"seconds\": %.6f, \"errors\": 0}\n",
              static_cast<unsigned long long>(ops), took.count());
  std::exit(0);
}

// A bare loop has no errors to survive: what fails ends it.
inline void must(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::_Exit(3);
}

}  // namespace bare
