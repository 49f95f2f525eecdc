// SPDX-License-Identifier: Apache-2.0
// series/ of a run, written while it goes on: what each load does in each second (load_rows.h),
// what was around each incident (around_rows.h), and the windows in which something special was
// the case (windows.csv). One call in the loop of each kind of run. Controller only.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/run/incident_book.h"
#include "harness/run/series/around_rows.h"
#include "harness/run/series/load_rows.h"

namespace stallproof {

class SeriesRecorder {
 public:
  struct Setup {
    RunDir& run;
    const Evidence& evidence;
    const Board* board = nullptr;  // null: the load is not ours
    std::function<std::vector<std::string>()> load_names;
  };
  // What `setup` names outlives this.
  explicit SeriesRecorder(Setup setup);

  // `started`: what all times are told relative to.
  void begin(Nanos started, Nanos now);
  // Every loop; a look at the clock but for once a second.
  void serve(Nanos now, const std::vector<IncidentRecord>& incidents);
  // `kind`: injection, canary, mark or gap. Told when it is over.
  void note_window(Nanos start, Nanos end, std::string_view kind, std::string_view text);
  void close(Nanos now, const std::vector<IncidentRecord>& incidents);

 private:
  Setup in_;
  LoadRows loads_;
  AroundRows around_;
  SeriesFile windows_;
  std::vector<std::string> names_;
  Nanos started_ns_ = 0;
  Nanos next_ns_ = ~Nanos{0};
};

}  // namespace stallproof
