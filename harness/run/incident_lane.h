// SPDX-License-Identifier: Apache-2.0
// What becomes of the incidents of some loads: those of the run, or those of a canary. Both go the
// same way: same events, same lens, same explanation, same captures. Controller only, main thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "harness/run/incident_book.h"
#include "harness/run/incident_captures.h"

namespace stallproof {

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

struct IncidentLane {
  // An incident was opened, extended, supported or resolved.
  void on_incident(const WatchEvent& event);
  // A scan that the lens has kept.
  void on_scan(const WatchEvent& event, const LiveLens& lens);
  // Where BPF is refused. Blocks while /proc is read, with a deadline.
  void look_by_proc(Nanos now, LiveLens& lens);
  void take_captures(Nanos now, RunDir& run, const RunClock& clock, bool marked);

  IncidentBook book;
  IncidentCaptures captures;
  SessionTeller& teller;
  std::function<std::vector<pid_t>()> processes;  // of its loads
  // How long a stall of these loads must last to be a failing one.
  std::function<Nanos(const IncidentRecord&)> fail_after;
  Nanos next_proc_look_ns = 0;

 private:
  void open(const WatchEvent& event);
  void take(LockSnapshot snapshot);
};

}  // namespace stallproof
