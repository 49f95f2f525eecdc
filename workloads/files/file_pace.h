// SPDX-License-Identifier: Apache-2.0
// When a workload may do its next requested operation. One schedule for all workloads of a job
// keeps their shares, at a rate or as fast as they go: a workload that does not take its turns
// holds up the others once many of them wait, and no turn of a rate is ever dropped. As vdbench; a
// format and a single workload without a rate need no schedule. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "workloads/files/file_job.h"

namespace stallproof {

// What a thread is told to do.
struct Turn {
  enum Kind { go, wait, ended } kind = ended;
  Nanos due = 0;    // go: it begins then; 0: at once
  Nanos until = 0;  // wait: ask again then
};

class FilePace {
 public:
  explicit FilePace(const FileJob& job);
  FilePace(const FilePace&) = delete;
  FilePace& operator=(const FilePace&) = delete;

  // Schedules begin now. Once, before the threads ask.
  void begin(Nanos now);
  Turn next(std::uint32_t workload, Nanos now);
  // One of its threads has nothing left to do. True for the last one: from then on the workload
  // holds up nobody.
  bool leave(std::uint32_t workload);

 private:
  struct Entry {
    double share = 0;
    std::optional<Arrivals> times;  // of a rate
    double due = 0;                 // ns; without a rate: shares taken so far
    std::deque<Nanos> waiting;      // turns that came before those of others
    unsigned threads = 0;           // that have not left
    bool ended = false;
  };
  void advance(Entry& entry);
  [[nodiscard]] Entry* earliest();

  const FileJob& job_;
  bool free_;
  std::mutex lock_;
  std::vector<Entry> entries_;
};

// As many turns of one workload may wait for its threads before the schedule itself waits.
inline constexpr std::size_t kMostTurnsWaiting = 2000;

}  // namespace stallproof
