// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/each_index.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace stallproof {
namespace {

// With few processors too: most of the time is spent waiting for a disk or a server.
constexpr std::size_t kLeastThreads = 4, kMostThreads = 8;

}  // namespace

void for_each_index(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr thrown;
  std::mutex thrown_lock;
  const auto take_items = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      next = count;
      const std::lock_guard<std::mutex> held(thrown_lock);
      if (!thrown) thrown = std::current_exception();
    }
  };
  {
    const std::size_t threads =
        std::clamp<std::size_t>(std::thread::hardware_concurrency(), kLeastThreads, kMostThreads);
    std::vector<std::jthread> others;
    try {
      for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(take_items);
    } catch (const std::system_error&) {
      // Fewer threads do the same.
    }
    take_items();
  }
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace stallproof
