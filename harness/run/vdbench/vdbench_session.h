// SPDX-License-Identifier: Apache-2.0
// What all runs of one vdbench execution share: processes, incidents, run directory, signals. Its
// attend() is the one place where the controller waits. Controller, main thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/signals.h"
#include "harness/run/incident_book.h"
#include "harness/run/live_lens.h"
#include "harness/run/observer_report.h"
#include "harness/run/vdbench/io_lab.h"
#include "harness/run/vdbench/io_sampler.h"
#include "harness/run/vdbench/vdbench_options.h"
#include "harness/sink/console.h"
#include "harness/store/run_dir.h"

namespace stallproof {

// What the runs have seen: the verdict is made from this.
struct VdbenchState {
  RunClock clock;
  std::vector<std::string> lost;         // a process of ours ended early
  std::vector<std::string> left_behind;  // what could not be ended
  std::vector<std::string> failures;     // failed or corrupted I/O, time-outs
  std::vector<std::string> never_ended;  // I/Os that had not completed at the end of a run
  bool interrupted = false;
  WatchdogFigures figures;
};

class VdbenchSession {
 public:
  VdbenchSession(const VdbenchOptions& options, RunDir run, LiveLens lens, IoLab lab,
                 Console& console);
  VdbenchSession(const VdbenchSession&) = delete;
  VdbenchSession& operator=(const VdbenchSession&) = delete;
  ~VdbenchSession() = default;

  void begin();
  // Serves the watchdog, signals and children until then; sooner when the worker has ended or
  // something forbids to go on.
  void attend(Nanos until);
  // Ends the watchdog; incidents are as they will stay.
  void finish();

  [[nodiscard]] bool must_end() const { return state_.interrupted || !state_.lost.empty(); }
  [[nodiscard]] VdbenchState& state() { return state_; }
  [[nodiscard]] const VdbenchState& state() const { return state_; }
  [[nodiscard]] IoLab& lab() { return lab_; }
  [[nodiscard]] const IoLab& lab() const { return lab_; }
  [[nodiscard]] RunDir& run_dir() { return run_; }
  [[nodiscard]] Console& console() { return console_; }
  [[nodiscard]] const IncidentBook& book() const { return book_; }
  [[nodiscard]] const LiveLens& lens() const { return lens_; }
  [[nodiscard]] const VdbenchOptions& options() const { return options_; }
  // One line of events.jsonl; `json` is an object.
  void log_event(const std::string& json);

 private:
  void read_events();
  void on_event(const WatchEvent& event);
  void on_opened(const WatchEvent& event);
  void on_scan(const WatchEvent& event);
  void take(LockSnapshot snapshot);
  void look_by_proc(Nanos now);
  void check_watchdog();
  void check_signals();
  void wait_for_something(Nanos until);
  [[nodiscard]] std::vector<pid_t> our_processes() const;

  const VdbenchOptions& options_;
  RunDir run_;
  LiveLens lens_;
  IoLab lab_;
  SignalWatch signals_;
  Console& console_;
  IncidentBook book_;
  VdbenchState state_;
  Nanos next_proc_look_ns_ = 0;
  bool scanning_ = false;
};

}  // namespace stallproof
