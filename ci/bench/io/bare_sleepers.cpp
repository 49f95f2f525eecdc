// SPDX-License-Identifier: Apache-2.0
// What this machine's timers make of drawn moments: threads that sleep until theirs and do nothing
// then. What paced I/Os are measured against where timers are late.
#include <sys/prctl.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct Words {
  double rate = 50000;  // of all threads together, a second
  std::uint32_t threads = 32;
  double seconds = 1;
};

std::int64_t now() {
  timespec at{};
  ::clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * kSecond + at.tv_nsec;
}

// Returns when it woke, each time.
std::vector<std::int64_t> sleeper(const Words& words, std::uint32_t number, std::int64_t begin) {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  std::mt19937_64 random(number + 1);
  std::exponential_distribution<double> gap(words.rate / words.threads);
  std::vector<std::int64_t> woke;
  const std::int64_t end = begin + static_cast<std::int64_t>(words.seconds * 1e9);
  for (double due = static_cast<double>(begin); due < static_cast<double>(end);
       due += gap(random) * 1e9) {
    const auto moment = static_cast<std::int64_t>(due);
    const timespec at{moment / kSecond, moment % kSecond};
    while (now() < moment) ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
    woke.push_back(now());
  }
  return woke;
}

}  // namespace

// Prints the nanoseconds at which they woke, thread by thread.
int main(int argc, char** argv) {
  CLI::App app("Threads that sleep until moments drawn at --rate, for --seconds");
  Words words;
  app.add_option("--rate", words.rate);
  app.add_option("--threads", words.threads)->check(CLI::Range(1, 1024));
  app.add_option("--seconds", words.seconds);
  CLI11_PARSE(app, argc, argv);
  std::vector<std::vector<std::int64_t>> woke(words.threads);
  std::vector<std::thread> threads;
  const std::int64_t begin = now() + kSecond / 10;
  for (std::uint32_t i = 0; i < words.threads; ++i)
    threads.emplace_back([&, i] { woke[i] = sleeper(words, i, begin); });
  for (std::thread& each : threads) each.join();
  for (const auto& list : woke)
    for (const std::int64_t at : list) std::printf("%lld\n", static_cast<long long>(at));
}
