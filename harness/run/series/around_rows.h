// SPDX-License-Identifier: Apache-2.0
// series/around-ID.csv: each incident whose evidence is kept, from a minute before it was detected
// to ten seconds after it was over, as often as the watchdog looked (100 ms). The minute before
// comes out of the watchdog's ring, so nothing is written while nothing stands. Controller only.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/board/evidence.h"
#include "harness/run/incident_record.h"
#include "harness/store/series_writer.h"

namespace stallproof {

class AroundRows {
 public:
  AroundRows(RunDir& run, const EvidenceArea& area) : run_(run), area_(area) {}

  void begin(Nanos started) { started_ns_ = started; }
  // Every loop; works once a second. `incidents`: in the order of their numbers.
  void serve(Nanos now, const std::vector<IncidentRecord>& incidents,
             const std::vector<std::string>& names);
  // The end of the run is the end of all of them.
  void close(Nanos now, const std::vector<IncidentRecord>& incidents,
             const std::vector<std::string>& names);

  static constexpr Nanos kBefore = 60 * kSecond;
  static constexpr Nanos kAfter = 10 * kSecond;
  static constexpr Nanos kAtMost = 600 * kSecond;

 private:
  struct Open {
    std::uint32_t incident = 0;
    Nanos last_ns = 0;   // of the row that was written last, or where the first may begin
    Nanos until_ns = 0;  // no row is younger
    bool any = false;    // a row was read: there is something to compare the next one with
    std::array<std::uint64_t, kMaxLoads> ops{};
    SeriesFile file;
  };
  [[nodiscard]] bool is_new(const std::vector<IncidentRecord>& incidents) const;
  void open_new(const std::vector<IncidentRecord>& incidents);
  void extend(Open& each, const std::vector<ViewRow>& rows, const std::vector<std::string>& names);

  RunDir& run_;
  const EvidenceArea& area_;
  std::vector<Open> open_;
  std::vector<std::uint32_t> begun_;  // numbers; as many as incidents are kept in full
  std::string text_;
  Nanos started_ns_ = 0;
  Nanos next_ns_ = 0;
};

}  // namespace stallproof
