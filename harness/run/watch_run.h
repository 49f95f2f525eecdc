// SPDX-License-Identifier: Apache-2.0
// The loop of one watch; see watch.h. One poll(2) loop, no thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/signals.h"
#include "harness/run/canary_rounds.h"
#include "harness/run/foreign_command.h"
#include "harness/run/health_teller.h"
#include "harness/run/incident_book.h"
#include "harness/run/incident_captures.h"
#include "harness/run/live_lens.h"
#include "harness/run/observer_report.h"
#include "harness/run/run_marks.h"
#include "harness/run/series/series_recorder.h"
#include "harness/run/target_counters.h"
#include "harness/run/target_rows.h"
#include "harness/run/vdbench_rows.h"
#include "harness/run/watch.h"
#include "harness/run/watch_target.h"
#include "harness/run/watchdog_child.h"
#include "harness/store/run_dir.h"

namespace stallproof {

// No progress of a load in which nobody was seen blocked: worth telling, no stall.
struct SuspectedRecord {
  std::string load;
  Nanos since_ns = 0;
  std::optional<Nanos> until_ns;
};

// What a watch has seen so far: the verdict is made from this.
struct WatchState {
  RunClock clock;
  std::vector<SuspectedRecord> suspected;
  std::vector<std::string> lost;
  std::vector<std::string> blind;  // members that could not be found or watched
  std::vector<std::string> left_behind;
  bool interrupted = false;
  bool sees_stacks = false;  // through /proc, where BPF is refused
  std::string ended_by;      // "the command ended", …
  WatchdogFigures figures;
};

// The known stall of a watch, and the board that its loads run on.
struct WatchCanary {
  CanaryChoice choice;
  std::optional<Board> board;
};

class WatchRun final : private CanaryHost {
 public:
  WatchRun(const WatchOptions& options, WatchTarget target, RunDir run, LiveLens lens,
           WatchdogChild watchdog, IncidentCaptures captures, WatchCanary canary,
           std::optional<ForeignCommand> command, SignalWatch signals, Console& console);
  // Makes the known stall before it, then starts the command, if there is one.
  Result<> begin();
  void drive();
  // Ends the watchdog after a begin() that failed.
  void abandon() {
    canaries_.abandon();
    captures_.finish(run_);
    watchdog_.end();
  }
  // The verdict of what drive() saw, saved and printed. Returns the exit code.
  int conclude();

 private:
  // As a canary's host.
  [[nodiscard]] RunDir& run_dir() override { return run_; }
  [[nodiscard]] const LiveLens& lens() const override { return lens_; }
  [[nodiscard]] const RunClock& clock() const override { return state_.clock; }
  [[nodiscard]] std::vector<std::string> names_with(
      const std::vector<std::string>& canary_loads) const override;
  void set_canary(IncidentLane* lane) override;
  void log_event(const std::string& json) override;
  void note_window(Nanos start, Nanos end, std::string_view kind, std::string_view text) override {
    series_.note_window(start, end, kind, text);
  }
  void note_left_behind(const std::string& what) override { state_.left_behind.push_back(what); }
  [[nodiscard]] bool interrupted() const override { return state_.interrupted; }
  [[nodiscard]] bool stall_stands() override { return book_.standing() != nullptr; }
  void serve() override;
  void wait_until(Nanos until) const override;

  Result<> start_command();
  void watch_on();
  void keep_watchdog_apart();
  void tell_begin() const;
  void tell_blind(std::string_view why) const;
  void read_events();
  void on_event(const WatchEvent& event);
  void on_gap(const WatchEvent& event);
  void on_opened(const WatchEvent& event);
  void on_scan(const WatchEvent& event);
  void take(LockSnapshot snapshot);
  void look_for_cycle(LockSnapshot snapshot, Nanos now);
  void look_by_proc(Nanos now);
  void tell_explanation(const IncidentRecord& incident);
  void refresh_members(Nanos now);
  void check_suspected(Nanos now);
  void sample_counters(Nanos now);
  void take_vdbench_rows();
  void check_watchdog();
  void check_target(Nanos now);
  void check_signals();
  void check_circle(Nanos now);
  void check_end(Nanos now);
  void take_captures(Nanos now);
  void serve_canary(Nanos now);
  void end(std::string why);
  // On the console.
  void tell(Nanos at, std::string_view what) {
    console_.step(at - state_.clock.monotonic_ns, what);
  }
  void show_progress(Nanos now);
  void name_what_is_left();
  [[nodiscard]] std::optional<Nanos> blocked_since() const;
  [[nodiscard]] bool failing_stands(Nanos now);
  [[nodiscard]] std::vector<std::string> load_names() const {
    return target_names(watchdog_.evidence().area());
  }
  [[nodiscard]] std::vector<pid_t> our_children() const;

  const WatchOptions& options_;
  WatchTarget target_;
  RunDir run_;
  LiveLens lens_;
  WatchdogChild watchdog_;
  IncidentCaptures captures_;
  std::optional<ForeignCommand> command_;
  SignalWatch signals_;
  Console& console_;
  WatchState state_;
  IncidentBook book_;
  SeriesRecorder series_;
  RunMarks marks_;
  HealthTeller health_;
  TargetCounters counters_;
  SeriesFile counter_rows_;
  VdbenchRows vdbench_;
  SeriesFile vdbench_rows_;
  std::optional<Board> canary_board_;
  CanaryRounds canaries_;
  IncidentLane* canary_ = nullptr;

  struct SeenCycle {
    std::vector<std::string> nodes;  // as in Explanation::cycle
    Nanos at_ns = 0;
  };
  std::optional<SeenCycle> cycle_;  // of tasks blocked while others complete
  std::vector<pid_t> members_;
  std::optional<Nanos> failing_since_ns_;
  Nanos next_members_ns_ = 0;
  Nanos next_counters_ns_ = 0;
  Nanos next_gone_ns_ = 0;
  Nanos next_vdbench_ns_ = 0;
  Nanos next_proc_look_ns_ = 0;
  Nanos begun_ns_ = 0;             // when the target's own time began: after the canary before it
  Nanos leave_at_ns_ = ~Nanos{0};  // when a command that was interrupted is no longer waited for
  bool scanning_ = false;
  bool over_ = false;
};

}  // namespace stallproof
