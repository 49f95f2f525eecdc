// SPDX-License-Identifier: Apache-2.0
// The lab of one run: board, evidence and the child processes (watchdog, ffs, worker) on a mount of
// their own. Controller only, main thread only (children die with it). Starting waits for each
// child with a deadline; nothing here touches the target.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/process.h"
#include "harness/board/board.h"
#include "harness/board/evidence.h"
#include "harness/detect/detector.h"
#include "harness/run/fuse_target.h"
#include "harness/run/undo_journal.h"
#include "harness/run/watchdog_child.h"
#include "harness/scenario/scenario.h"

namespace stallproof {

class Lab {
 public:
  // The load is ready but not running. On failure everything started is ended again; the Error
  // names what could not be.
  static Result<Lab> start(const LabPlan& plan, const Thresholds& thresholds,
                           const std::string& run_id);
  // The same under a watchdog of another run, which knows this board already and must outlive the
  // lab: it is neither started nor ended here.
  static Result<Lab> start_under(WatchdogChild& watchdog, Board board, const LabPlan& plan,
                                 const std::string& run_id);

  void run_load() { board_.set_phase(Phase::run); }
  // From now on what the plan is about happens. Returns the moment, which is also on the board.
  Nanos arm();
  // Undoes it again while the load goes on; what the load does itself is the load's to end.
  void undo();
  // Every 100 ms or so: what an armed plan does over and over.
  void follow(Nanos now);
  // What the injector could not do, empty when all went well.
  [[nodiscard]] std::string injector_problem() const;
  // Next event of the watchdog, if one is waiting.
  [[nodiscard]] std::optional<WatchEvent> next_event() const { return watchdog_->next_event(); }

  // Ends load, service and watchdog; heals a stall that stands. Each step has a deadline.
  struct Ending {
    Nanos asked_ns = 0;
    Nanos healed_ns = 0;                   // 0 when something could not be ended
    std::string healed_by;                 // for people: "connection abort"
    std::vector<std::string> left_behind;  // what could not be undone
    // How the load ended otherwise than it should where nothing stalled; not judged here.
    std::vector<std::string> irregular;
  };
  Ending end(bool stalled);

  [[nodiscard]] Board& board() { return board_; }
  [[nodiscard]] const Board& board() const { return board_; }
  [[nodiscard]] const Evidence& evidence() const { return watchdog_->evidence(); }
  [[nodiscard]] Child& watchdog() { return watchdog_->child(); }
  [[nodiscard]] Child& ffs() { return ffs_; }
  [[nodiscard]] const Child& ffs() const { return ffs_; }
  [[nodiscard]] Child& worker() { return worker_; }
  [[nodiscard]] const Child& worker() const { return worker_; }
  [[nodiscard]] Child& injector() { return injector_; }
  [[nodiscard]] const Child& injector() const { return injector_; }
  // Watchdog, ffs, injector, worker: those that were started. A watchdog of another run too.
  [[nodiscard]] std::vector<std::pair<const char*, Child*>> children();
  [[nodiscard]] std::vector<std::string> load_names() const;
  [[nodiscard]] int channel_fd() const { return watchdog_->channel_fd(); }
  [[nodiscard]] const FuseTarget& target() const { return target_; }

 private:
  Lab(const LabPlan& plan, Board board, UndoJournal journal)
      : arming_(plan.arming),
        behaviour_(plan.behaviour),
        board_(std::move(board)),
        journal_(std::move(journal)) {}
  Result<> start_watchdog(const Thresholds& thresholds);
  Result<> start_all(const LabPlan& plan);
  // All started so far is ended again.
  Failure given_up(Error error);
  void forget_children();
  Result<> start_ffs(const Settings& words);
  Result<> start_injector(const LabPlan& plan);
  Result<> start_worker(const LabPlan& plan);
  Result<> start_child(Child& child, const char* role, Settings words);
  void watch(const Child& child);
  void disarm();
  void heal(Ending& ending);
  bool kill_worker(bool stalled, Ending& ending);
  bool end_worker(bool stalled, Ending& ending);
  void end_ffs(bool stalled, Ending& ending);
  int abort_connection();
  void remove_mount(Ending& ending);

  void end_injector(bool stalled, Ending& ending);

  Arming arming_;
  Behaviour behaviour_;
  Board board_;
  std::unique_ptr<WatchdogChild> own_watchdog_;  // null where another run's watches
  WatchdogChild* watchdog_ = nullptr;
  UndoJournal journal_;
  Child ffs_, injector_, worker_;
  FuseTarget target_;
  bool aborted_ = false;
  Nanos nap_turns_ns_ = 0;  // when the service is stopped or continued next; 0: it takes no naps
  bool napping_ = false;
};

}  // namespace stallproof
