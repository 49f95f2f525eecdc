// SPDX-License-Identifier: Apache-2.0
// The run that a canary is made in, as the canary sees it: it takes in the watchdog's events, and
// gives the incidents of the canary's loads to the canary's lane. Controller only, main thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/run/incident_lane.h"
#include "harness/run/run_clock.h"

namespace stallproof {

class CanaryHost {
 public:
  CanaryHost() = default;
  CanaryHost(const CanaryHost&) = delete;
  CanaryHost& operator=(const CanaryHost&) = delete;
  virtual ~CanaryHost() = default;

  [[nodiscard]] virtual RunDir& run_dir() = 0;
  [[nodiscard]] virtual const LiveLens& lens() const = 0;
  [[nodiscard]] virtual const RunClock& clock() const = 0;
  // What the watchdog's views call their loads, those of the canary among them.
  [[nodiscard]] virtual std::vector<std::string> names_with(
      const std::vector<std::string>& canary_loads) const = 0;
  // From now on the incidents of the canary's loads go here; null: nowhere. Must outlive its use.
  virtual void set_canary(IncidentLane* lane) = 0;
  // One line of events.jsonl; `json` is an object.
  virtual void log_event(const std::string& json) = 0;
  // A window of the run's series (series_recorder.h).
  virtual void note_window(Nanos start, Nanos end, std::string_view kind,
                           std::string_view text) = 0;
  virtual void note_left_behind(const std::string& what) = 0;
  [[nodiscard]] virtual bool interrupted() const = 0;
  [[nodiscard]] virtual bool stall_stands() = 0;
  // Takes in all there is, and sleeps until then or until there is something to take in.
  virtual void serve() = 0;
  virtual void wait_until(Nanos until) const = 0;
};

}  // namespace stallproof
