// SPDX-License-Identifier: Apache-2.0
// Run directories for tests of reports, as a run leaves them.
#pragma once

#include <string>

#include "harness/store/verdict.h"

namespace stallproof::testing_report {

// Removed with everything in it.
class MadeRun {
 public:
  MadeRun();
  MadeRun(const MadeRun&) = delete;
  MadeRun& operator=(const MadeRun&) = delete;
  ~MadeRun();
  [[nodiscard]] const std::string& path() const { return path_; }
  void put(const std::string& name, const std::string& content) const;
  void remove(const std::string& name) const;

 private:
  std::string path_;
};

// A quiet run of `seconds`.
Verdict quiet_verdict(double seconds);
// One that stood in the reported stall from 10 s to 14 s, with its files; explanation.json is
// explain's own of `names`, the comm of its four kinds of tasks.
void put_stalled_run(const MadeRun& run);
// loads.csv and latency.csv of so many loads and seconds, with dropouts; windows.csv.
void put_series(const MadeRun& run, int loads, int seconds);

}  // namespace stallproof::testing_report
