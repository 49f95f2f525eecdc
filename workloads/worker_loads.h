// SPDX-License-Identifier: Apache-2.0
// The loads of a worker process while it lives: prepared, then run by threads of small stacks that
// come and go with the schedule and never end before the process does. Worker, main thread.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "harness/base/result.h"
#include "harness/board/board.h"
#include "workloads/catalogue.h"
#include "workloads/work_order.h"

namespace stallproof {

class WorkerLoads {
 public:
  // Opens and maps what the threads need: may block on the file under test.
  static Result<std::unique_ptr<WorkerLoads>> prepare(Board board, const WorkOrder& order);

  // All threads, each with its tid in its slot soon. They wait for Phase::run.
  Result<> start_threads();
  [[nodiscard]] bool all_started() const;
  [[nodiscard]] bool all_left() const;
  // Turns loads on and off as their schedules say; all off for good once `ending` is true. Called
  // every few milliseconds.
  void follow_schedules(Nanos now, bool ending);
  void cleanup();

  [[nodiscard]] const Board& board() const { return board_; }
  [[nodiscard]] bool failed() const { return failed_.load(); }

 private:
  enum Turn : std::uint32_t { waiting, running, over };
  struct Load {
    LoadOrder order;
    const WorkloadInfo* info = nullptr;
    const LoadEntry* entry = nullptr;
    std::unique_ptr<Workload> workload;
    std::vector<unsigned> cpus;
    std::atomic<std::uint32_t> turn = waiting;  // also what its threads sleep on
    std::atomic<std::uint32_t> turns = 0;       // how often it was turned on
    std::atomic<bool> off = false;              // threads inside the workload shall come back
  };
  struct Thread {
    WorkerLoads* loads = nullptr;
    Load* load = nullptr;
    unsigned index = 0;
  };

  WorkerLoads() = default;
  Result<> add(const LoadOrder& order, const std::vector<unsigned>& process_cpus);
  static void turn_to(Load& load, Turn turn);
  static void* thread_entry(void* thread);
  void live(Load& load, unsigned index);
  Result<> run_turns(Load& load, unsigned index, BoardSlot& slot, std::uint32_t slot_number);

  Board board_;
  std::vector<std::unique_ptr<Load>> loads_;
  std::vector<Thread> threads_;
  Nanos began_ns_ = 0;  // when Phase::run was first seen
  std::atomic<bool> failed_ = false;
};

}  // namespace stallproof
