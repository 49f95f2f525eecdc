// SPDX-License-Identifier: Apache-2.0
// What every run of our own load shares, whatever the load: the watchdog's events become incidents,
// incidents are explained, signals and the watchdog's own end are noticed. Controller, main thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/base/signals.h"
#include "harness/run/canary_host.h"
#include "harness/run/health_teller.h"
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

class RunSession final : public CanaryHost {
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

  void begin();
  void set_canary(IncidentLane* lane) override;
  // Takes in all there is. Blocks only where /proc must be read instead of BPF, with a deadline.
  void serve() override;
  // Sleeps until then, for 100 ms at most, or until there is something to serve or one of the
  // descriptors is readable; invalid ones are left out.
  void wait(Nanos until, const std::vector<int>& descriptors) const;
  void wait_until(Nanos until) const override { wait(until, {}); }
  // The load has ended: ends the watchdog; incidents are as they will stay.
  void finish();

  [[nodiscard]] RunDir& run_dir() override { return in_.run; }
  [[nodiscard]] IncidentBook& book() { return lane_.book; }
  [[nodiscard]] const IncidentBook& book() const { return lane_.book; }
  [[nodiscard]] const LiveLens& lens() const override { return in_.lens; }
  // Evidence of the stall that stands is being taken: do not end it yet. Bounded in time.
  [[nodiscard]] bool needs_the_stall() const { return lane_.captures.needs_the_stall(); }
  [[nodiscard]] const CapturesEntry& captures() const { return lane_.captures.entry(); }
  [[nodiscard]] const RunClock& clock() const override { return in_.state.clock; }
  // Marks that were written into the run, until it was finished.
  [[nodiscard]] std::vector<MarkEntry> marks() const { return marks_.entries(in_.state.clock); }
  [[nodiscard]] SeriesRecorder& series() { return series_; }
  void log_event(const std::string& json) override;
  [[nodiscard]] std::vector<std::string> names_with(
      const std::vector<std::string>& canary_loads) const override;
  void note_window(Nanos start, Nanos end, std::string_view kind, std::string_view text) override {
    series_.note_window(start, end, kind, text);
  }
  void note_left_behind(const std::string& what) override { in_.state.left_behind.push_back(what); }
  [[nodiscard]] bool interrupted() const override { return in_.state.interrupted; }
  [[nodiscard]] bool stall_stands() override { return lane_.book.standing() != nullptr; }

 private:
  void read_events();
  void on_event(const WatchEvent& event);
  void on_gap(const WatchEvent& event);
  void on_scan(const WatchEvent& event);
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
