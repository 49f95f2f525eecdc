// SPDX-License-Identifier: Apache-2.0
// For tests: a process whose threads take one step each, in the order the test tells them. It is a
// fork, and all its threads exist before the first step, so what gets stuck is its address space,
// never the test's.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace stallproof::testing {

inline constexpr std::size_t kMaxSteps = 12;

struct LabStep {
  std::string name;  // of the thread
  std::function<void()> act;
};

class LabProcess {
 public:
  LabProcess();
  LabProcess(const LabProcess&) = delete;
  LabProcess& operator=(const LabProcess&) = delete;
  // Heal what it is stuck in first: else it is given up after three seconds.
  ~LabProcess();

  // Forks; `prepare` runs there before the threads are made. True when all of them are ready.
  bool start(const std::function<bool()>& prepare, std::vector<LabStep> steps);
  // Tells a thread to take its step, and waits until it has begun and then a moment more.
  bool go(std::size_t step);
  [[nodiscard]] bool done(std::size_t step) const { return board_->done[step].load(); }
  [[nodiscard]] std::int32_t tid(std::size_t step) const { return board_->tids[step].load(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  struct Board {
    std::array<std::atomic<std::int32_t>, kMaxSteps> tids;
    std::array<std::atomic<bool>, kMaxSteps> told, begun, done;
    std::atomic<bool> ready;
  };
  [[noreturn]] void run(const std::function<bool()>& prepare, const std::vector<LabStep>& steps);
  Board* board_;
  pid_t pid_ = -1;
};

}  // namespace stallproof::testing
