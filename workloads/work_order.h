// SPDX-License-Identifier: Apache-2.0
// What one worker process is to do: its loads, each with settings, file, names, CPUs and times of
// its own. Plain values; they travel to the worker as JSON in shared memory.
#pragma once

#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/base/settings.h"
#include "harness/board/board.h"
#include "workloads/load_schedule.h"

namespace stallproof {

// Threads of this name carry no number: as a JVM leaves those that nobody named.
inline constexpr const char* kUnnumberedThreads = "java";
// What the kernel keeps of a thread's name (TASK_COMM_LEN less the final zero).
inline constexpr std::size_t kThreadNameLength = 15;

struct LoadOrder {
  std::string name;            // on the board
  std::string workload;        // in the catalogue
  std::string file;            // the file under test
  std::string thread_names;    // empty: the workload's own
  std::vector<unsigned> cpus;  // its threads run only there; empty: wherever the process may
  LoadSchedule schedule;
  Settings settings;
};

struct WorkOrder {
  std::string name;  // of the process, as ps shows it; empty: left as it is
  std::vector<unsigned> cpus;
  std::vector<LoadOrder> loads;
};

// NAME/N, cut to what the kernel keeps.
std::string thread_name(const std::string& names, unsigned index);

std::string work_order_json(const WorkOrder& order);
Result<WorkOrder> work_order_of_json(const std::string& text);
// Without an order: all loads of the board that the catalogue knows by their names, with the same
// settings, and the same file unless the settings say own-files=yes (FILE-LOAD); last-cpu=yes:
// their threads run on the last of the caller's CPUs only.
WorkOrder order_for_board(const Board& board, const std::string& file, const Settings& settings);

}  // namespace stallproof
