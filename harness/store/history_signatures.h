// SPDX-License-Identifier: Apache-2.0
// The same stall across runs and builds, told by its signature.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/store/history.h"
#include "harness/store/history_filter.h"

namespace stallproof {

// A signature that says which stall it was: not of a stall that nobody could explain.
bool names_a_stall(const std::string& signature);

struct Sighting {
  std::string run, build, scenario;
  Instant at;  // the stall's onset
};

struct SignatureHistory {
  std::string signature;
  // Runs that made it on purpose (repro) are counted apart; the rest is of the others.
  std::int64_t stalls = 0, failing = 0, runs = 0, runs_on_purpose = 0;
  std::vector<std::string> builds;  // in the order they first had it; "" where not told
  std::optional<Sighting> first, last;
  // For its rate: of runs that passed or failed, the stalls and all node-hours. What a run with an
  // unknown verdict did not see cannot be told.
  std::int64_t counted = 0;
  double node_hours = 0;
};

// Every signature that runs of the filter had, the most frequent first.
Result<std::vector<SignatureHistory>> signatures_of(History& history, const HistoryFilter& filter);

// The last sighting of a signature before that moment and not in `run`: rather one that came by
// itself, else one made on purpose.
Result<std::optional<Sighting>> seen_before(History& history, const std::string& signature,
                                            const std::string& run, std::int64_t before_ms);

}  // namespace stallproof
