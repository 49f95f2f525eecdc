// SPDX-License-Identifier: Apache-2.0
// What the engines share, and the engines: each makes the I/Os of one job in the worker process.
// Everything here lives until the process ends: a thread may be stuck for ever.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "workloads/io/heap_buffer.h"
#include "workloads/io/io_context.h"
#include "workloads/io/io_panel.h"
#include "workloads/io/io_source.h"
#include "workloads/io/validated_io.h"

namespace stallproof {

// An engine's threads, one for each entry: which file, which of its I/Os in flight are its own.
struct EngineThread {
  std::uint32_t file = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 1;
  std::uint32_t number = 0, of = 1;  // of all threads of the job
};

struct EngineContext : IoContext {
  IoJob job;
  IoPanel panel;
  std::vector<Fd> files;  // by file of the job
  std::unique_ptr<IoSource> source;
  std::unique_ptr<Validation> validation;  // null: none

  using IoContext::wait_for_run;
  [[nodiscard]] bool wait_for_run(const EngineThread& thread) {
    const bool runs = wait_for_run(slots_of(thread));
    std::call_once(begun_, [this] { source->begin(monotonic_now()); });
    return runs;
  }
  [[nodiscard]] std::span<BoardSlot> slots_of(const EngineThread& thread) {
    return board.slots().subspan(job.files[thread.file].first_slot + thread.first, thread.count);
  }

 private:
  std::once_flag begun_;  // the schedules
};

// Opens the files of the job; makes missing ones where they are to be written.
Result<std::vector<Fd>> open_files(const IoJob& job);

// Those this process may run on; empty when the kernel does not tell.
std::vector<int> usable_cpus();

// Whether I/O on the file may be tried without blocking. Where it may not (tmpfs, FUSE), io_uring
// hands each I/O to a worker thread of the ring. Reads nothing.
bool never_blocks(const Fd& file);

// psync: one for each I/O in flight. io_uring: one for each file; where workers make the I/O, one
// for many of them, at most as many as CPUs. `files` as opened.
std::vector<EngineThread> threads_of(const IoJob& job, std::span<const Fd> files);
// What a thread does from its start until nothing is left to do or it is told to stop.
void run_psync_thread(EngineContext& context, const EngineThread& thread);
void run_uring_thread(EngineContext& context, const EngineThread& thread);

// Why io_uring cannot be used here; empty when it can.
std::string uring_problem();

}  // namespace stallproof
