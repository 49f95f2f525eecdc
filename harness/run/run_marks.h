// SPDX-License-Identifier: Apache-2.0
// The marks of a run as its controller follows them: each is an event and a window, and says of the
// incidents that began in it how long they may last. Controller only, main thread.
#pragma once

#include <optional>
#include <vector>

#include "harness/run/incident_book.h"
#include "harness/run/observer_report.h"
#include "harness/run/series/series_recorder.h"
#include "harness/sink/run_feed.h"
#include "harness/store/mark.h"
#include "harness/store/run_dir.h"
#include "harness/store/verdict.h"

namespace stallproof {

class RunMarks {
 public:
  // All must outlive it. Where the file cannot be made the run takes no marks. `feed`: who is told
  // of them; null: nobody.
  RunMarks(RunDir& run, SeriesRecorder& series, const RunFeed* feed)
      : run_(run), series_(series), feed_(feed) {}
  // From now on marks are taken.
  void begin();
  // Every loop, before anything is decided about an incident: reads once a second, and at once
  // while one stands.
  void serve(const RunClock& clock, IncidentBook& book, Nanos now);
  // At the end of the run, whenever that was read last.
  void finish(const RunClock& clock, IncidentBook& book);
  // Now is inside a window in which a mark allows stalls.
  [[nodiscard]] bool allow_stalls(Nanos now) const {
    return marked_at(marks_, now).allow_ns.has_value();
  }
  // Of something that began then, with all that is written by now.
  Marked at(const RunClock& clock, Nanos began);
  [[nodiscard]] std::vector<MarkEntry> entries(const RunClock& clock) const;

 private:
  void read(const RunClock& clock);
  void apply(IncidentBook& book) const;

  RunDir& run_;
  SeriesRecorder& series_;
  const RunFeed* feed_;
  std::optional<MarkReader> reader_;
  std::vector<Mark> marks_;
  Nanos next_ns_ = 0;
};

}  // namespace stallproof
