// SPDX-License-Identifier: Apache-2.0
// The processes of a run of I/O jobs: a watchdog for all of them and a worker for each, on one
// board. Controller, main thread. Every wait has a deadline.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/board/board.h"
#include "harness/detect/detector.h"
#include "harness/run/canary_plan.h"
#include "harness/run/watchdog_child.h"
#include "workloads/files/file_job.h"
#include "workloads/files/file_panel.h"
#include "workloads/io/io_panel.h"

namespace stallproof {

class IoLab {
 public:
  // A load as the watchdog judges it: a name and its I/Os in flight, in the order of their slots.
  struct Load {
    std::string name;
    unsigned threads = 0;
    std::string target = {};  // what it works on; empty: several
  };
  // `canary`: null where none is wanted.
  static Result<IoLab> start(const std::vector<Load>& loads, const Thresholds& thresholds,
                             const CanaryPlan* canary);

  // Data validation of all workers from now on.
  void use_key_maps(KeyMaps maps) { maps_ = std::move(maps); }
  [[nodiscard]] std::optional<KeyMaps>& key_maps() { return maps_; }
  // The worker is ready, and does nothing yet. One at a time.
  Result<> start_worker(const IoJob& job);
  // Looks at the trees first, which may take minutes.
  Result<> start_worker(const FileJob& job);
  void run_load();
  // Asks the I/O to end; what is in flight may still complete.
  void stop_load() { board_.set_phase(Phase::stop); }
  // True when the worker has ended by itself before the deadline passed.
  bool worker_ended(Deadline deadline);
  // SIGTERM, then SIGKILL. Empty, or the process that could not be ended.
  std::string end_worker();
  // Ends the watchdog. Empty, or the process that could not be ended.
  std::string end();

  [[nodiscard]] Board& board() { return board_; }
  [[nodiscard]] const Board& board() const { return board_; }
  [[nodiscard]] IoPanel& panel() { return panel_; }
  [[nodiscard]] FilePanel& file_panel() { return file_panel_; }
  [[nodiscard]] const FilePanel& file_panel() const { return file_panel_; }
  [[nodiscard]] WatchdogChild& watchdog() { return watchdog_; }
  [[nodiscard]] const WatchdogChild& watchdog() const { return watchdog_; }
  [[nodiscard]] Child& worker() { return worker_; }
  [[nodiscard]] const Child& worker() const { return worker_; }
  [[nodiscard]] std::vector<std::string> load_names() const;
  // Of the canary's loads, which the watchdog sees behind the others; absent without one.
  [[nodiscard]] const std::optional<Board>& canary_board() const { return canary_board_; }

 private:
  IoLab(Board board, WatchdogChild watchdog)
      : board_(std::move(board)), watchdog_(std::move(watchdog)) {}

  Board board_;
  std::optional<Board> canary_board_;
  Result<> start_worker(const char* role, int panel_fd, int job_fd, Nanos within);

  IoPanel panel_;
  FilePanel file_panel_;
  std::optional<KeyMaps> maps_;
  WatchdogChild watchdog_;
  Child worker_;
};

}  // namespace stallproof
