// SPDX-License-Identifier: Apache-2.0
// What the threads of a run on files share, and what each of them does: operations of its workload
// until none is left, or its part of a format. Everything here lives until the process ends: a
// thread may be stuck for ever.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "workloads/files/anchor_tree.h"
#include "workloads/files/file_job.h"
#include "workloads/files/file_pace.h"
#include "workloads/files/file_panel.h"
#include "workloads/io/io_context.h"

namespace stallproof {

struct FileThread {
  std::uint32_t workload = 0;
  std::uint32_t index = 0;  // among the workload's threads
};

// What the threads of a format wait for, by anchor.
struct FormatState {
  std::atomic<bool> removed = false;
  std::atomic<std::uint32_t> next_top = 0;                  // folder of the first level
  std::atomic<std::uint32_t> in_folders = 0, in_files = 0;  // threads that are not through
};

struct FileContext : IoContext {
  FileJob job;
  FilePanel panel;
  std::vector<std::unique_ptr<AnchorTree>> trees;     // by anchor
  std::vector<std::unique_ptr<FormatState>> formats;  // by anchor
  std::unique_ptr<FilePace> pace;
  // What some workload of this job does, so that others may wait for it.
  bool makes_files = false, removes_files = false, makes_folders = false, removes_folders = false;

  std::once_flag begun;  // the schedules

  [[nodiscard]] std::uint32_t slot_of(const FileThread& thread) const {
    return job.workloads[thread.workload].first_slot + thread.index;
  }
  [[nodiscard]] std::span<BoardSlot> slots_of(const FileThread& thread) {
    return board.slots().subspan(slot_of(thread), 1);
  }
  // The run cannot go on: all threads stop, the panel says why.
  void end_by(int error);
};

// Plans and looks at the trees of `context.job`; an Error when an anchor is missing or another tree
// is there. Blocking, on the file system under test.
Result<> prepare_trees(FileContext& context);
// Control files say that a run has begun, or what it left.
void begin_control_files(const FileContext& context);
Result<> end_control_files(const FileContext& context);

std::vector<FileThread> threads_of(const FileJob& job);
// What a thread does from its start until nothing is left to do or it is told to stop.
void run_file_thread(FileContext& context, const FileThread& thread);

}  // namespace stallproof
