// SPDX-License-Identifier: Apache-2.0
// A run as the gate takes it. Reads the run directory; blocking as any disk.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/store/run_read.h"

namespace stallproof {

struct GatedRun {
  StoredRun stored;
  std::string shown_by;  // what `stallproof show` takes, from where the gate was asked
  // Why nothing can be said of it: its verdict is damaged. Such a run is unknown, and no error: an
  // other run may have failed, which is worth more.
  std::string damage;
  std::map<std::string, double> rates;  // median operations per second, by load
  std::string rates_problem;            // why there are none

  [[nodiscard]] const std::string& name() const {
    return stored.id.empty() ? stored.directory : stored.id;
  }
};

// `word` as find_run_directory() takes it. An error: no such run, or no run at all.
Result<GatedRun> gather_run(const std::string& word);

// Of each load how usual its seconds were, from series/loads.csv, else series/seconds.csv.
void gather_rates(GatedRun& run);

}  // namespace stallproof
