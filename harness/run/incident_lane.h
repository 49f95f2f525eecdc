// SPDX-License-Identifier: Apache-2.0
// What becomes of the incidents of some loads: those of the run, or those of a canary. Both go the
// same way through the session: same events, same lens, same explanation, same captures. Controller
// only, main thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "harness/run/incident_book.h"
#include "harness/run/incident_captures.h"

namespace stallproof {

class SessionTeller;

struct IncidentLane {
  IncidentBook book;
  IncidentCaptures captures;
  SessionTeller& teller;
  std::function<std::vector<pid_t>()> processes;  // of its loads
  // How long a stall of these loads must last to be a failing one.
  std::function<Nanos(const IncidentRecord&)> fail_after;
  std::string event_prefix;  // of what it writes into events.jsonl; empty for the run's own
  Nanos next_proc_look_ns = 0;
};

}  // namespace stallproof
