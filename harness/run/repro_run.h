// SPDX-License-Identifier: Apache-2.0
// The state machine of one reproduction; see repro.h. One poll(2) loop, no thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/signals.h"
#include "harness/run/health_teller.h"
#include "harness/run/incident_book.h"
#include "harness/run/incident_captures.h"
#include "harness/run/lab.h"
#include "harness/run/live_lens.h"
#include "harness/run/observer_report.h"
#include "harness/run/repro.h"
#include "harness/run/second_sampler.h"
#include "harness/run/series/series_recorder.h"
#include "harness/store/run_dir.h"

namespace stallproof {

// What a run has seen so far: the verdict is made from this.
struct ReproState {
  RunClock clock;
  Nanos load_ns = 0;
  std::optional<Nanos> armed_ns;
  std::vector<std::string> lost;
  std::vector<std::string> load_failures;  // errors and wrong data before the load was ended
  bool interrupted = false;
  WatchdogFigures figures;
  std::optional<Lab::Ending> ending;
};

class ReproRun {
 public:
  ReproRun(const ReproOptions& options, const LabPlan& plan, RunDir run, LiveLens lens, Lab lab,
           IncidentCaptures captures, SignalWatch signals, Console& console);
  // Everything from the first op to the healed machine.
  void drive();
  // Ends and heals after a failure of our own, whatever stands.
  void abandon() {
    captures_.finish(run_);
    lab_.end(true);
  }
  // The verdict of what drive() saw, saved and printed. Returns the exit code.
  int conclude();

 private:
  enum class Step { warming, armed, standing, over };

  void begin_load();
  void tell_begin() const;
  void tell_blind(std::string_view why) const;
  void advance(Nanos now);
  void arm(Nanos now);
  void undo_if_due(Nanos now);
  [[nodiscard]] Nanos armed_for() const;
  [[nodiscard]] bool something_may_be_stuck(Nanos now);
  void wait_for_something();
  void read_input();
  [[nodiscard]] Nanos next_deadline_ns(Nanos now) const;
  void read_events();
  void on_event(const WatchEvent& event);
  void on_gap(const WatchEvent& event);
  void open_incident(const WatchEvent& event);
  void on_scan(const WatchEvent& event);
  void explain_by_proc();
  void take_explanation(LockSnapshot snapshot);
  void check_children();
  void check_injector();
  void check_signals();
  void stand(Nanos now);
  void take_captures(Nanos now);
  void sample(Nanos now);
  void finish_load();
  void take_watchdog_figures();
  void take_load_failures();
  void settle_incident(IncidentRecord& incident);
  void show_explanation(const IncidentRecord& incident);
  void show_progress(Nanos now);
  [[nodiscard]] double since_start_ms(Nanos at) const { return state_.clock.ms(at); }
  [[nodiscard]] std::vector<pid_t> our_processes() {
    std::vector<pid_t> pids;
    for (const auto& [role, child] : lab_.children())
      if (child != &lab_.watchdog()) pids.push_back(child->pid());
    return pids;
  }
  [[nodiscard]] std::string target_words() const;
  void log_event(const std::string& json);
  [[nodiscard]] bool as_promised(const Explanation& explanation) const;
  [[nodiscard]] bool explained_as_promised(const IncidentRecord& incident) const;

  const ReproOptions& options_;
  const LabPlan& plan_;
  RunDir run_;
  LiveLens lens_;
  Lab lab_;
  IncidentCaptures captures_;
  Console& console_;
  SignalWatch signals_;
  Step step_ = Step::warming;
  ReproState state_;
  IncidentBook book_;
  SecondSampler sampler_;
  SeriesRecorder series_;
  HealthTeller health_;
  SeriesFile second_rows_;
  Nanos stand_until_ns_ = 0;
  Nanos end_at_ns_ = 0;   // when armed load has run long enough
  Nanos undo_at_ns_ = 0;  // 0: not before the end
  Nanos next_proc_look_ns_ = 0;
  bool scanning_ = false;
  bool input_ended_ = false;
  bool hold_ended_ = false;
};

}  // namespace stallproof
