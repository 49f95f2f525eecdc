// SPDX-License-Identifier: Apache-2.0
// The incidents and dropouts of one run: follows the watchdog's events, explains what stands, keeps
// the best explanation and writes its evidence into the run directory. Controller only; explaining
// takes milliseconds, writing blocks on the disk of the run directory.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/board/evidence.h"
#include "harness/run/incident_record.h"
#include "harness/run/live_lens.h"
#include "harness/store/run_dir.h"

namespace stallproof {

struct DropoutRecord {
  std::uint32_t load = 0;
  Nanos since_ns = 0;
  std::optional<Nanos> until_ns;
  double ratio = 0;
};

class IncidentBook {
 public:
  struct Setup {
    const LiveLens& lens;
    RunDir& run;
    const Evidence& evidence;
    // What the loads are called, in the order of the watchdog's views.
    std::function<std::vector<std::string>()> load_names;
    // An explanation than which none better is to be expected.
    std::function<bool(const Explanation&)> conclusive;
  };
  explicit IncidentBook(Setup setup) : setup_(std::move(setup)) {}

  // incident_opened. The watchdog's number need not be ours: see open_by_cycle.
  IncidentRecord& open(const WatchEvent& event);
  // An incident the explanation itself showed: some tasks wait in a circle while others complete.
  IncidentRecord& open_by_cycle(Nanos onset_ns, Nanos now_ns);
  // incident_extended, incident_resolved; of an incident that is not the last one: ignored.
  void update(const WatchEvent& event);
  // supported: what a detector has to say of the incident that stands.
  void note_support(const WatchEvent& event);
  void note_dropout(const WatchEvent& event);

  enum class Taken { ignored, saved, conclusive, confirmed };
  // Explains the snapshot as one of the standing incident and keeps it when it is better than what
  // is there. `conclusive` once, when it first is; `confirmed` when a later snapshot shows the same
  // cycle with no completion of the incident's loads between.
  Taken take(LockSnapshot snapshot);

  // Null when none stands.
  [[nodiscard]] IncidentRecord* standing();
  [[nodiscard]] std::vector<IncidentRecord>& incidents() { return incidents_; }
  [[nodiscard]] const std::vector<IncidentRecord>& incidents() const { return incidents_; }
  [[nodiscard]] const std::vector<DropoutRecord>& dropouts() const { return dropouts_; }
  // incident.json of every incident, as they are now.
  void save_all(Nanos started_ns);

 private:
  [[nodiscard]] std::uint32_t next_number() const {
    return static_cast<std::uint32_t>(incidents_.size()) + 1;
  }

  void save_before_once(IncidentRecord& incident);

  Setup setup_;
  std::vector<IncidentRecord> incidents_;
  std::vector<DropoutRecord> dropouts_;
};

}  // namespace stallproof
