// SPDX-License-Identifier: Apache-2.0
// The life of a worker process, whatever its threads do: they start, report, wait for the run and
// never end before the process does, because the end of a thread takes mmap_lock.
#pragma once

#include <signal.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "workloads/io/io_context.h"

namespace stallproof {

struct WorkerThread {
  std::string name;            // as ps shows it; 15 characters of it
  std::span<BoardSlot> slots;  // say that the thread runs, and that it has left
  std::function<void()> work;  // waits for the run first
};

struct WorkerProcess {
  IoContext& context;
  std::vector<WorkerThread> threads;
  std::optional<std::uint64_t> jvm_seed;  // with a thread that does what a JVM does
};

// Starts the threads; an Error when one refuses, or does not start within a minute. The process
// must not go away: threads refer to it.
Result<> start_worker(WorkerProcess& process);

// Until all threads have left: true. False when one has not left 2 s after SIGTERM.
bool wait_until_left(WorkerProcess& process, const sigset_t& watched);

}  // namespace stallproof
