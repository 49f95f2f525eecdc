// SPDX-License-Identifier: Apache-2.0
// The incidents and dropouts of one run: follows the watchdog's events, explains what stands, keeps
// the best explanation and writes its evidence into the run directory. Disk and memory are bounded
// however often it stalls: of each signature the first few incidents are kept in full, later ones
// are counted (incident.json only), and of very many only the gravest stay listed. Controller only;
// explaining takes milliseconds, writing blocks on the disk of the run directory.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/board/evidence.h"
#include "harness/run/incident_record.h"
#include "harness/run/live_lens.h"
#include "harness/run/run_clock.h"
#include "harness/sink/run_feed.h"
#include "harness/store/mark.h"
#include "harness/store/run_dir.h"

namespace stallproof {

struct DropoutRecord {
  std::uint32_t load = 0;
  Nanos since_ns = 0;
  std::optional<Nanos> until_ns;
  double ratio = 0;
};

// How much is kept.
struct EvidenceLimits {
  std::size_t per_signature = 8;  // incidents with all evidence, and as many failing ones more
  std::size_t signatures = 32;    // of which any is kept
  std::size_t listed = 1000;      // incidents that are told one by one
  std::size_t dropouts = 10'000;
};

// What a run had beside that.
struct Unlisted {
  std::uint64_t stalls = 0, dropouts = 0;
  Nanos longest_ns = 0;  // of the stalls
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
    // Who is told of all that, by which clock; null: nobody, and no event is recorded.
    const RunFeed* feed = nullptr;
    const RunClock* clock = nullptr;
    std::string under = "incidents/";  // folder of their folders, in the run directory
    EvidenceLimits limits{};
    std::string event_prefix{};  // of what it writes into events.jsonl
    // What marks say of something that began then; null: there are none.
    std::function<Marked(Nanos)> marked{};
  };
  explicit IncidentBook(Setup setup) : setup_(std::move(setup)) {}

  // What times in incident.json are relative to.
  void begin(Nanos started_ns) { started_ns_ = started_ns; }

  // incident_opened. The watchdog's number need not be ours: see open_by_cycle. What it returns is
  // valid until the next one is opened.
  IncidentRecord& open(const WatchEvent& event);
  // An incident the explanation itself showed: some tasks wait in a circle while others complete.
  IncidentRecord& open_by_cycle(Nanos onset_ns, Nanos now_ns);
  // incident_extended, incident_resolved; of an incident that is not the last one: ignored.
  void update(const WatchEvent& event);
  // The same for the one that stands, whoever saw that it is over.
  void resolve(Nanos at);
  // supported: what a detector has to say of the incident that stands.
  void note_support(const WatchEvent& event);
  void note_dropout(const WatchEvent& event);

  enum class Taken { ignored, saved, conclusive, confirmed };
  // Explains the snapshot as one of the standing incident and keeps it when it is better than what
  // is there. `conclusive` once, when it first is; `confirmed` when a later snapshot shows the same
  // cycle with no completion of the incident's loads between.
  Taken take(LockSnapshot snapshot);
  // The same tasks were found waiting for each other twice, whoever has looked.
  void confirm(IncidentRecord& incident);

  // Every loop, before anything is taken of the incident that stands: an explanation that has not
  // come soon will not name its signature, and a stall that fails is worth more than one that
  // resolves.
  void decide_evidence(Nanos now, bool failing);

  // Null when none stands.
  [[nodiscard]] IncidentRecord* standing();
  // Null when it is not listed any more.
  [[nodiscard]] const IncidentRecord* find(std::uint32_t number) const;
  [[nodiscard]] std::vector<IncidentRecord>& incidents() { return incidents_; }
  [[nodiscard]] const std::vector<IncidentRecord>& incidents() const { return incidents_; }
  [[nodiscard]] const std::vector<DropoutRecord>& dropouts() const { return dropouts_; }
  [[nodiscard]] const Unlisted& unlisted() const { return unlisted_; }
  // incident.json of every incident, as they are now.
  void save_all(Nanos started_ns);

 private:
  IncidentRecord& add(IncidentRecord incident);
  void make_room();
  void decide(IncidentRecord& incident, bool failing);
  void settle(IncidentRecord& incident);
  void save_json(IncidentRecord& incident, Nanos started_ns);
  void save_before_once(IncidentRecord& incident);
  void note_opened(const IncidentRecord& incident) const;
  // In events.jsonl; only with a clock.
  void record(std::string_view event, const IncidentRecord& incident) const;
  void tell(void (RunListener::*what)(const StallNews&), const IncidentRecord& incident) const;
  void tell(const DropoutRecord& dropout) const;
  void keep(IncidentRecord& incident, LockSnapshot snapshot, Explanation explanation);

  struct KeptInFull {
    std::size_t all = 0, failing = 0;
  };

  Setup setup_;
  Nanos started_ns_ = 0;
  std::uint32_t opened_ = 0;
  std::map<std::string, KeptInFull> kept_;  // by signature
  std::vector<IncidentRecord> incidents_;
  std::vector<DropoutRecord> dropouts_;
  Unlisted unlisted_;
};

}  // namespace stallproof
