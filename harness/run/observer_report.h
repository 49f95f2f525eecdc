// SPDX-License-Identifier: Apache-2.0
// What every run's verdict says of its incidents and of how well it was watched. Pure but for
// reading the watchdog's health out of the evidence.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "harness/base/service_manager.h"
#include "harness/board/evidence.h"
#include "harness/detect/detector.h"
#include "harness/run/incident_book.h"
#include "harness/run/run_clock.h"
#include "harness/run/watchdog_rescue.h"
#include "harness/store/verdict.h"

namespace stallproof {

// The watchdog as its controller saw it, over the whole run; where a service manager started us, it
// hears from here that the watchdog lives.
struct WatchdogFigures {
  Nanos began_ns = 0;
  std::uint64_t cpu_before_ns = 0;
  std::uint64_t cpu_ns = 0;  // since begin()
  std::uint64_t rss_kib = 0;
  Nanos watched_ns = 0;
  Nanos heartbeat_age_max_ns = 0;
  std::uint64_t probe_timeouts = 0;
  ServiceManager manager;
  bool told_silence = false;
  WatchdogRescue rescue;

  // When the load begins, every loop of the controller, before the watchdog is ended.
  void begin(const Evidence& evidence, Nanos now);
  // True when the watchdog has just fallen silent; one that is not run is helped first.
  bool check_heartbeat(const Evidence& evidence, pid_t watchdog, Nanos now);
  void take(const Evidence& evidence, pid_t watchdog, Nanos now);
};

StallEntry stall_entry(const IncidentRecord& incident, const RunClock& clock, Nanos fail_after);
std::vector<DropoutEntry> dropout_entries(const std::vector<DropoutRecord>& dropouts,
                                          const std::vector<std::string>& load_names,
                                          const RunClock& clock, Nanos end_ns);
ObserverEntry observer_entry(const Evidence& evidence, const WatchdogFigures& figures,
                             const std::vector<IncidentRecord>& incidents);
// What a gap was, in words; where the machine was suspended the run's stamps are put right.
std::string take_gap(const WatchEvent& event, RunClock& clock);
// What the book has beside the stalls and dropouts it lists; call when the verdict is made.
void note_unlisted(Verdict& verdict, const Unlisted& unlisted);
// Why a run without a stall proves nothing: sight lost in a way that hides stalls.
std::vector<std::string> impairments(const Evidence& evidence, const WatchdogFigures& figures);
// Node, kernel, version, times, thresholds.
void describe_run(Verdict& verdict, const RunClock& clock, const Thresholds& thresholds);
// What a stall that stands does to this machine by sysctl (kernel.hung_task_panic); empty when
// nothing. To be said before one is provoked or waited for.
std::string panic_danger();
// env.json. `coordination`: the object of that name as text, of a run on several nodes at once.
std::string environment_json(const std::string& coordination = "null");

}  // namespace stallproof
