// SPDX-License-Identifier: Apache-2.0
// One incident with its evidence, and how it is written to incidents/ID/ of the run directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/board/board.h"
#include "harness/board/evidence.h"
#include "harness/explain/explanation.h"
#include "harness/store/run_dir.h"
#include "harness/store/stall_rule.h"
#include "harness/store/verdict.h"

namespace stallproof {

// What a detector that only supports says of an incident.
struct SupportRecord {
  std::string detector;
  Nanos since_ns = 0;
  std::uint32_t count = 0;
  std::string what;  // "vdb", "connection 40", a line of the kernel log
};

// What is kept of an incident: all that could be seen, or, when the run has enough like it, only
// that it was.
enum class Kept { undecided, full, counted };

struct IncidentRecord {
  std::uint32_t number = 0;        // within the run, from 1
  std::string folder;              // below the run directory, with a slash at its end
  std::uint32_t watch_number = 0;  // as the watchdog counts; 0 when it did not open it
  Nanos onset_ns = 0;
  Nanos detected_ns = 0;
  std::optional<Nanos> resolved_ns;
  std::uint32_t kinds = 0;    // bit per FindingKind
  std::uint32_t stalled = 0;  // bit per load
  std::uint32_t blocked = 0;  // most tasks seen blocked
  Nanos last_op_ns = 0;       // last completion of any load before it was detected
  Nanos explained_ns = 0;     // 0 while there is no explanation
  std::optional<LockSnapshot> snapshot;
  std::optional<Explanation> explanation;
  std::vector<SupportRecord> support;
  Kept kept = Kept::undecided;
  bool before_saved = false;  // before/ is written once: later the minute before is gone
  bool settled = false;       // incident.json is as it will stay
  // The same cycle was found in two snapshots at least 200 ms apart.
  bool cycle_confirmed = false;
  // It began in the window of a mark, which may say how long it may last.
  bool marked = false;
  std::optional<Nanos> allowed_ns;
  // Opened because tasks wait in a circle, while others of their load may still complete.
  bool by_cycle = false;

  [[nodiscard]] std::string id() const;
  // "unknown" without an explanation, and where nothing was stuck any more when it was looked at.
  [[nodiscard]] std::string stall_class() const;
  // What made it an incident, and all that had something to say of it.
  [[nodiscard]] std::vector<std::string> sources() const;
  [[nodiscard]] std::vector<std::string> detectors() const;
  // By is_failing(), as it has ended, or never did.
  [[nodiscard]] bool failing(Nanos fail_after) const;
  // The same of one that stands, by then.
  [[nodiscard]] bool failing_at(Nanos now, Nanos fail_after) const;

 private:
  [[nodiscard]] StallRule rule(Nanos fail_after) const;
};

// What the loads and the service said of themselves at that moment. The explanation never sees it:
// tests compare the two.
std::string truth_json(const Board& board, Nanos now_ns);

// Everything but before/, incident.json and truth.json. Called when the explanation is there.
void save_evidence(RunDir& run, const IncidentRecord& incident, const Evidence& evidence);
// incident.json; called again when the incident ends.
void save_incident(RunDir& run, const IncidentRecord& incident,
                   const std::vector<std::string>& load_names, Nanos started_ns);

}  // namespace stallproof
