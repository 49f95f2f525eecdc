// SPDX-License-Identifier: Apache-2.0
// Marks: what somebody did to a run on purpose (a failover test), written into its directory while
// it runs. Anybody appends to marks.jsonl, one line each, and the run's controller reads it again
// and again: it works however busy that is. Only a run that reads marks has the file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/store/verdict.h"

namespace stallproof {

struct Mark {
  Nanos at_ns = 0;        // monotonic, of this boot
  Nanos realtime_ns = 0;  // the same moment
  Nanos lasts_ns = 0;
  std::optional<Nanos> allow_ns;  // a stall of the window may last so long; absent: as ever
  std::string text;
};

std::string mark_json(const Mark& mark);

// Refused, in one line, where no controller of this machine holds the directory, and where it takes
// no marks. On the disk when it returns; waits up to 5 s for others that write one.
Result<> append_mark(const std::string& run_directory, const Mark& mark);

// The controller's side.
class MarkReader {
 public:
  // Makes the file. An Error when it cannot.
  static Result<MarkReader> create(const std::string& run_directory);
  // Whole lines that came since the last call; what is no mark is counted and left out.
  std::vector<Mark> take();
  [[nodiscard]] std::size_t unreadable() const { return unreadable_; }

 private:
  Fd file_;
  std::size_t read_ = 0;  // bytes of whole lines
  std::size_t unreadable_ = 0;
};

// Those whose window has this moment in it, taken together: whether there is one, and the longest
// that one of them allows.
struct Marked {
  bool any = false;
  std::optional<Nanos> allow_ns;
};
Marked marked_at(const std::vector<Mark>& marks, Nanos at);
// The same by what a verdict tells of them, of something that began so long after the run's start.
Marked marked_at(const std::vector<MarkEntry>& marks, double at_ms);

}  // namespace stallproof
