// SPDX-License-Identifier: Apache-2.0
// What the engines of every worker process have: the board, and how they are told to begin and to
// end. Lives until the process ends: a thread may be stuck for ever.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <span>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "harness/board/board.h"

namespace stallproof {

struct IoContext {
  Board board;
  std::atomic<bool> ended = false;  // the process was told to end

  [[nodiscard]] bool stopping() const {
    return board.phase() == Phase::stop || ended.load(std::memory_order_relaxed);
  }
  // What an earlier worker left in them. Before the threads start.
  void clear_slots();
  // The calling thread is ready: its slots say so. Waits for the run; false when there is none.
  [[nodiscard]] bool wait_for_run(std::span<BoardSlot> slots);
  // The calling thread cannot begin.
  void refuse(const Error& error);
  [[nodiscard]] std::optional<Error> refusal();
  // Sleeps until then, but no longer than until shortly after stopping() turns true.
  void sleep_until(Nanos until) const;

 private:
  std::mutex lock_;
  std::optional<Error> refusal_;
};

}  // namespace stallproof
