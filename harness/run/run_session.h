// SPDX-License-Identifier: Apache-2.0
// What every run of our own load shares, whatever the load: the watchdog's events become incidents,
// incidents are explained, signals and the watchdog's own end are noticed. Controller, main thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/base/signals.h"
#include "harness/run/health_teller.h"
#include "harness/run/incident_lane.h"
#include "harness/run/live_lens.h"
#include "harness/run/observer_report.h"
#include "harness/run/run_marks.h"
#include "harness/run/series/series_recorder.h"
#include "harness/run/watchdog_child.h"
#include "harness/sink/run_feed.h"
#include "harness/store/run_dir.h"

namespace stallproof {

// What a run has seen: the verdict is made from this.
struct SessionState {
  RunClock clock;
  std::vector<std::string> lost;         // a process of ours ended early
  std::vector<std::string> left_behind;  // what could not be ended
  bool interrupted = false;
  WatchdogFigures figures;
};

// How a run tells a person what happens to it.
class SessionTeller {
 public:
  SessionTeller() = default;
  SessionTeller(const SessionTeller&) = delete;
  SessionTeller& operator=(const SessionTeller&) = delete;
  virtual ~SessionTeller() = default;
  virtual void tell_stall(const IncidentRecord& incident) = 0;
  virtual void tell_explanation(const IncidentRecord& incident) = 0;
  virtual void tell_resolved(Nanos at) = 0;
};

class RunSession {
 public:
  struct Setup {
    RunDir run;
    LiveLens lens;
    WatchdogChild& watchdog;
    SessionState& state;
    SessionTeller& teller;
    SignalWatch signals;
    std::function<std::vector<std::string>()> load_names;
    std::function<std::vector<pid_t>()> processes;  // of the load
    IncidentCaptures captures;
    // How long a stall of these loads must last to be a failing one.
    std::function<Nanos(const IncidentRecord&)> fail_after;
    // Who is told what happens (null: nobody), and what is known of the run.
    const RunFeed* feed = nullptr;
    RunNews news = {};
    const Board* board = nullptr;  // of the load
  };
  explicit RunSession(Setup setup);
  RunSession(const RunSession&) = delete;
  RunSession& operator=(const RunSession&) = delete;
  ~RunSession() = default;

  void begin();
  // From now on the incidents of the canary's loads go here; null: nowhere. Must outlive its use.
  void set_canary(IncidentLane* lane);
  // Takes in all there is. Blocks only where /proc must be read instead of BPF, with a deadline.
  void serve();
  // Sleeps until then, for 100 ms at most, or until there is something to serve or one of the
  // descriptors is readable; invalid ones are left out.
  void wait(Nanos until, const std::vector<int>& descriptors) const;
  // The load has ended: ends the watchdog; incidents are as they will stay.
  void finish();

  [[nodiscard]] RunDir& run_dir() { return in_.run; }
  [[nodiscard]] IncidentBook& book() { return lane_.book; }
  [[nodiscard]] const IncidentBook& book() const { return lane_.book; }
  [[nodiscard]] const LiveLens& lens() const { return in_.lens; }
  // Evidence of the stall that stands is being taken: do not end it yet. Bounded in time.
  [[nodiscard]] bool needs_the_stall() const { return lane_.captures.needs_the_stall(); }
  [[nodiscard]] const CapturesEntry& captures() const { return lane_.captures.entry(); }
  [[nodiscard]] const RunClock& clock() const { return in_.state.clock; }
  // Marks that were written into the run, until it was finished.
  [[nodiscard]] std::vector<MarkEntry> marks() const { return marks_.entries(in_.state.clock); }
  [[nodiscard]] SeriesRecorder& series() { return series_; }
  // One line of events.jsonl; `json` is an object.
  void log_event(const std::string& json);

 private:
  void read_events();
  void on_event(const WatchEvent& event);
  void on_gap(const WatchEvent& event);
  void on_incident(const WatchEvent& event, IncidentLane& lane);
  void on_opened(const WatchEvent& event, IncidentLane& lane);
  void on_scan(const WatchEvent& event);
  void take(LockSnapshot snapshot, IncidentLane& lane);
  void look_by_proc(Nanos now, IncidentLane& lane);
  void take_captures(Nanos now, IncidentLane& lane);
  // The run's, and the canary's where there is one now.
  [[nodiscard]] std::vector<IncidentLane*> lanes();
  [[nodiscard]] IncidentLane* lane_of(const WatchEvent& event);
  [[nodiscard]] bool is_of_canary(std::uint32_t load) const;
  void check_watchdog();
  void tell_blind(std::string_view why) const;
  void check_signals();

  Setup in_;
  IncidentLane lane_;
  IncidentLane* canary_ = nullptr;
  SeriesRecorder series_;
  RunMarks marks_;
  HealthTeller health_;
  bool scanning_ = false;
};

}  // namespace stallproof
