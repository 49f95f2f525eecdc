// SPDX-License-Identifier: Apache-2.0
// What is taken of an incident beside its explanation: how the machine is at that moment (pressure,
// disks, memory, FUSE), by --on-stall sysrq what the kernel itself says, by --on-stall panic a
// vmcore. One step after the other, each in a child with a deadline, its words in memory first; the
// controller goes on meanwhile. Controller only, main thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/background_text.h"
#include "harness/base/kernel_setting.h"
#include "harness/capture/sources.h"
#include "harness/capture/stall_policy.h"
#include "harness/run/incident_book.h"
#include "harness/run/undo_journal.h"
#include "harness/sink/console.h"
#include "harness/sink/run_feed.h"
#include "harness/store/verdict.h"

namespace stallproof {

class IncidentCaptures {
 public:
  // Before the load starts; check_policy() (crash_on_stall.h) came before. Says what will be
  // missing. An Error when what it is going to change could not be undone after a SIGKILL.
  static Result<IncidentCaptures> create(const StallPolicy& policy, RunDir& run, Console& console,
                                         const RunFeed* feed = nullptr);
  // Of stalls made on purpose beside the run's own: what the run says of itself stays untouched.
  static IncidentCaptures of_canary(Console& console);
  IncidentCaptures(IncidentCaptures&&) = default;
  IncidentCaptures& operator=(IncidentCaptures&&) = delete;
  // Where finish() was not reached: puts back what is changed.
  ~IncidentCaptures();

  // An incident was opened.
  void begin(const IncidentRecord& incident);

  struct Moment {
    RunDir& run;
    IncidentBook& book;
    Nanos started_ns = 0;
    bool failing = false;  // the incident that stands
    bool marked = false;   // now is inside a window in which a mark allows stalls
  };
  // Every loop. Blocks for some milliseconds only; does not return where the machine is crashed.
  void serve(const Moment& moment);
  // Something is being taken that only a stall that stands can give: leave it standing. Bounded by
  // the deadlines of the steps.
  [[nodiscard]] bool needs_the_stall() const { return needed_; }
  // Before anything is healed or ended: what has begun may end, what has not is dropped. Returns
  // what could not be put back.
  std::vector<std::string> finish(RunDir& run);

  [[nodiscard]] const CapturesEntry& entry() const { return entry_; }

 private:
  struct Step {
    std::uint32_t incident = 0;
    std::string folder;
    Nanos detected_ns = 0;
    SourceStep source;
    bool sysrq = false;
  };
  struct Running {
    Step step;
    BackgroundText text;
    Nanos began_ns = 0;
    std::vector<ChangedSetting> settings;
  };

  IncidentCaptures(const StallPolicy& policy, Console& console, const RunFeed* feed)
      : policy_(policy), console_(&console), feed_(feed) {}
  [[nodiscard]] static bool may_begin(const Step& step, const IncidentRecord* incident);
  Result<> mark_log(Nanos now);
  void start_next(RunDir& run);
  void keep(RunDir& run, SourceResult result, const Step& step);
  void end_running(RunDir& run);
  void decide(const Moment& moment);
  void note_problem(const std::string& what);
  void tell_sources(const Step& last) const;
  void tell(const std::string& incident, const char* kind, bool taken) const;

  StallPolicy policy_;
  Console* console_;
  const RunFeed* feed_;
  std::string mark_;  // the run's line in the kernel log; empty: a canary's
  Nanos next_mark_ns_ = 0;
  std::unique_ptr<UndoJournal> journal_;
  std::deque<Step> queue_;
  std::optional<Running> running_;
  std::vector<SourceResult> results_;  // of the incident that is being taken
  std::vector<std::string> not_put_back_;
  unsigned sysrq_asked_ = 0;
  bool decided_ = false;
  bool needed_ = false;
  CapturesEntry entry_;
};

}  // namespace stallproof
