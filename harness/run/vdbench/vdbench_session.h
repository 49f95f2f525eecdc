// SPDX-License-Identifier: Apache-2.0
// What all runs of one vdbench execution share: processes, incidents, run directory, signals. Its
// attend() is the one place where the controller waits. Controller, main thread.
#pragma once

#include <string>
#include <vector>

#include "harness/run/run_session.h"
#include "harness/run/vdbench/io_lab.h"
#include "harness/run/vdbench/vdbench_options.h"
#include "harness/run/vdbench/vdbench_output.h"
#include "harness/run/vdbench/vdbench_target.h"
#include "harness/sink/console.h"

namespace stallproof {

struct VdbenchState : SessionState {
  std::vector<std::string> failures;     // failed or corrupted I/O, time-outs
  std::vector<std::string> never_ended;  // I/Os that had not completed at the end of a run
  VdbenchTarget target;
  std::string parameters;  // digest of what is run, to compare runs by
};

class VdbenchSession final : private SessionTeller {
 public:
  VdbenchSession(const VdbenchOptions& options, RunDir run, LiveLens lens, IoLab lab,
                 IncidentCaptures captures, Console& console);

  void begin() { session_.begin(); }
  // Serves the watchdog, signals and children until then; sooner when the worker has ended or
  // something forbids to go on.
  void attend(Nanos until);
  // Ends the watchdog; incidents are as they will stay.
  void finish() {
    session_.finish();
    intervals_.close();
  }

  [[nodiscard]] bool must_end() const { return state_.interrupted || !state_.lost.empty(); }
  [[nodiscard]] VdbenchState& state() { return state_; }
  [[nodiscard]] const VdbenchState& state() const { return state_; }
  [[nodiscard]] IoLab& lab() { return lab_; }
  [[nodiscard]] const IoLab& lab() const { return lab_; }
  [[nodiscard]] RunDir& run_dir() { return session_.run_dir(); }
  [[nodiscard]] Console& console() { return console_; }
  [[nodiscard]] const IncidentBook& book() const { return session_.book(); }
  [[nodiscard]] const LiveLens& lens() const { return session_.lens(); }
  [[nodiscard]] bool needs_the_stall() const { return session_.needs_the_stall(); }
  [[nodiscard]] const CapturesEntry& captures() const { return session_.captures(); }
  [[nodiscard]] std::vector<MarkEntry> marks() const { return session_.marks(); }
  [[nodiscard]] const VdbenchOptions& options() const { return options_; }
  // A line of series/rows.csv.
  void note_interval(const SeriesRow& row) { intervals_.append(interval_csv_row(row)); }
  // For what is served by it beside the load.
  [[nodiscard]] RunSession& session() { return session_; }
  // One line of events.jsonl; `json` is an object.
  void log_event(const std::string& json) { session_.log_event(json); }

 private:
  void tell_stall(const IncidentRecord& incident) override;
  void tell_explanation(const IncidentRecord& incident) override;
  void tell_resolved(Nanos at) override;

  const VdbenchOptions& options_;
  VdbenchState state_;
  IoLab lab_;
  Console& console_;
  RunSession session_;
  SeriesFile intervals_;
};

}  // namespace stallproof
