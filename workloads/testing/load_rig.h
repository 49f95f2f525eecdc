// SPDX-License-Identifier: Apache-2.0
// Runs one load of the catalogue in threads of the test's own process, on a real board and a file
// in a directory of its own, which is removed.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness/board/board.h"
#include "workloads/catalogue.h"

namespace stallproof {

// On tmpfs where there is one: no disk is waited for.
class TestDirectory {
 public:
  TestDirectory() {
    std::string pattern = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : "/tmp/";
    pattern += "stallproof-load-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name = "data") const {
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

struct LoadTotals {
  std::uint64_t ops = 0, bytes = 0, errors = 0, mismatches = 0, sigbus = 0;
};

class LoadRig {
 public:
  LoadRig(const char* workload, unsigned threads, std::string file)
      : info_(*find_workload(workload)), threads_(threads), file_(std::move(file)) {
    const Board::LoadSpec spec{workload, threads};
    auto board = Board::create({&spec, 1}, 1);
    EXPECT_TRUE(board);
    board_ = std::move(*board);
  }
  ~LoadRig() { stop(); }
  LoadRig(const LoadRig&) = delete;
  LoadRig& operator=(const LoadRig&) = delete;

  Result<> prepare(const std::vector<std::string>& words) {
    auto settings = Settings::from_words(words);
    if (!settings) return Failure{settings.error()};
    std::vector<std::string> known;
    for (const WorkloadParameter& parameter : info_.parameters) known.emplace_back(parameter.name);
    if (auto refused = settings->refuse_unknown(known); !refused) return refused;
    workload_ = info_.make();
    return workload_->prepare(
        {.file = file_, .settings = with_defaults(info_, *settings), .threads = threads_});
  }
  void start() {
    board_.set_phase(Phase::run);
    for (unsigned index = 0; index < threads_; ++index)
      running_.emplace_back([this, index] {
        WorkerContext ctx{.slot = board_.slots()[index],
                          .index = index,
                          .seed = index + 1,
                          .board = board_,
                          .ended = ended_};
        EXPECT_TRUE(workload_->run(ctx));
      });
  }
  // True once the condition holds; false after five seconds.
  bool until(const std::function<bool(const LoadTotals&)>& condition) {
    const Deadline give_up = Deadline::in(5 * kSecond);
    while (!condition(totals()))
      if (give_up.passed())
        return false;
      else
        ::poll(nullptr, 0, 1);
    return true;
  }
  bool until_ops(std::uint64_t ops) {
    const std::uint64_t before = totals().ops;
    return until([&](const LoadTotals& now) { return now.ops >= before + ops; });
  }
  LoadTotals stop() {
    ended_.store(true);
    for (std::thread& thread : running_) thread.join();
    running_.clear();
    if (workload_) workload_->cleanup();
    workload_.reset();
    return totals();
  }
  [[nodiscard]] LoadTotals totals() {
    LoadTotals sum;
    for (const BoardSlot& slot : board_.slots()) {
      sum.ops += slot.ops.load();
      sum.bytes += slot.bytes.load();
      sum.errors += slot.errors.load();
      sum.mismatches += slot.mismatches.load();
      sum.sigbus += slot.sigbus.load();
    }
    return sum;
  }
  Board& board() { return board_; }

 private:
  const WorkloadInfo& info_;
  unsigned threads_;
  std::string file_;
  Board board_;
  std::atomic<bool> ended_ = false;
  std::unique_ptr<Workload> workload_;
  std::vector<std::thread> running_;
};

}  // namespace stallproof
