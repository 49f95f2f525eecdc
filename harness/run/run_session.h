// SPDX-License-Identifier: Apache-2.0
// What every run of our own load shares, whatever the load: the watchdog's events become incidents,
// incidents are explained, signals and the watchdog's own end are noticed. Controller, main thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/base/signals.h"
#include "harness/run/incident_book.h"
#include "harness/run/incident_captures.h"
#include "harness/run/live_lens.h"
#include "harness/run/observer_report.h"
#include "harness/run/watchdog_child.h"
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
  };
  explicit RunSession(Setup setup);
  RunSession(const RunSession&) = delete;
  RunSession& operator=(const RunSession&) = delete;
  ~RunSession() = default;

  void begin();
  // Takes in all there is. Blocks only where /proc must be read instead of BPF, with a deadline.
  void serve();
  // Sleeps until then, for 100 ms at most, or until there is something to serve or one of the
  // descriptors is readable; invalid ones are left out.
  void wait(Nanos until, const std::vector<int>& descriptors) const;
  // The load has ended: ends the watchdog; incidents are as they will stay.
  void finish();

  [[nodiscard]] RunDir& run_dir() { return in_.run; }
  [[nodiscard]] IncidentBook& book() { return book_; }
  [[nodiscard]] const IncidentBook& book() const { return book_; }
  [[nodiscard]] const LiveLens& lens() const { return in_.lens; }
  // Evidence of the stall that stands is being taken: do not end it yet. Bounded in time.
  [[nodiscard]] bool needs_the_stall() const { return in_.captures.needs_the_stall(); }
  [[nodiscard]] const CapturesEntry& captures() const { return in_.captures.entry(); }
  // One line of events.jsonl; `json` is an object.
  void log_event(const std::string& json);

 private:
  void read_events();
  void on_event(const WatchEvent& event);
  void on_opened(const WatchEvent& event);
  void on_scan(const WatchEvent& event);
  void take(LockSnapshot snapshot);
  void look_by_proc(Nanos now);
  void take_captures(Nanos now);
  void check_watchdog();
  void check_signals();

  Setup in_;
  IncidentBook book_;
  Nanos next_proc_look_ns_ = 0;
  bool scanning_ = false;
};

}  // namespace stallproof
