// SPDX-License-Identifier: Apache-2.0
// The processes of a plan: a watchdog and one worker for each [[process]], on one board, and what
// they have on the target. Controller, main thread. Every wait has a deadline; nothing here touches
// the target but by children.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/process.h"
#include "harness/board/board.h"
#include "harness/run/canary_plan.h"
#include "harness/run/plan/plan.h"
#include "harness/run/undo_journal.h"
#include "harness/run/watchdog_child.h"
#include "workloads/work_order.h"

namespace stallproof {

class PlanLab {
 public:
  struct Worker {
    std::string name;
    std::size_t first_load = 0, loads = 0;  // on the board
    Child child;
    Fd ready;                      // valid while it prepares
    std::optional<Error> refusal;  // why it never ran
  };

  // Board, journal and watchdog. Ended again on failure. `canary`: null where none is wanted.
  static Result<PlanLab> start(const LoadPlan& plan, const std::string& run_id,
                               const CanaryPlan* canary);
  // The run's own directory on the target; noted before it is made.
  Result<> make_place(const ScratchDirectory& scratch, const std::vector<std::string>& files);
  // Starts a worker for each order, in the order of the board's loads. They prepare on their own:
  // see take_ready().
  void spawn(const std::vector<WorkOrder>& orders, Nanos leave_within);
  // Takes in who has become ready or refused. True while some still prepare.
  bool take_ready();
  // Workers that still prepare are given up.
  void give_up_starting(const std::string& why);

  void run_load() { board_.set_phase(Phase::run); }
  void stop_load() { board_.set_phase(Phase::stop); }
  // What a process that is gone had in flight is in flight no more.
  void release_slots(const Worker& worker);
  [[nodiscard]] bool all_workers_gone();
  // SIGKILL. Names those that cannot be ended.
  std::vector<std::string> kill_workers();
  // Removes what is on the target, unless a worker may be stuck there, and the journal.
  std::vector<std::string> clean_up();
  // After a failure of our own: ends everything, names what could not be.
  std::vector<std::string> abandon();

  [[nodiscard]] Board& board() { return board_; }
  [[nodiscard]] const Board& board() const { return board_; }
  // Of the canary's loads, which the watchdog sees behind those of the plan; absent without one.
  [[nodiscard]] const std::optional<Board>& canary_board() const { return canary_board_; }
  [[nodiscard]] WatchdogChild& watchdog() { return watchdog_; }
  [[nodiscard]] const WatchdogChild& watchdog() const { return watchdog_; }
  [[nodiscard]] std::vector<Worker>& workers() { return workers_; }
  [[nodiscard]] const std::vector<Worker>& workers() const { return workers_; }
  [[nodiscard]] std::vector<std::string> load_names() const;
  [[nodiscard]] std::vector<pid_t> processes() const;

 private:
  PlanLab(Board board, WatchdogChild watchdog, UndoJournal journal)
      : board_(std::move(board)), watchdog_(std::move(watchdog)), journal_(std::move(journal)) {}
  Result<> spawn_one(Worker& worker, const WorkOrder& order, Nanos leave_within);

  Board board_;
  std::optional<Board> canary_board_;
  WatchdogChild watchdog_;
  UndoJournal journal_;
  std::vector<Worker> workers_;
  bool worker_stuck_ = false;
};

}  // namespace stallproof
