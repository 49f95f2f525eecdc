// SPDX-License-Identifier: Apache-2.0
// What the history keeps of one run directory. Blocking: reads files of the run directory only.
#pragma once

#include <cstdint>
#include <string>

#include "harness/base/rfc3339.h"
#include "harness/store/verdict.h"

namespace stallproof {

struct HistoryEntry {
  std::string run, directory;
  std::string state;          // pass, fail, unknown, unfinished, unreadable
  std::string problem;        // of an unreadable one: what is wrong with its verdict.json
  std::int64_t stamp_ns = 0;  // of verdict.json; 0: there is none
  Instant started;
  Verdict verdict;  // of an unfinished one only who ran, where
};

// Whether there is a run's file in it at all.
bool is_run_directory(const std::string& directory);
// When verdict.json was last changed, in nanoseconds since 1970; 0: there is none.
std::int64_t verdict_stamp_ns(const std::string& directory);

// Without links and dots, so that a directory has one name; as given where it cannot be found.
std::string real_path(const std::string& path);

// Never fails: what cannot be read is kept as such, so that it is told and tried again.
HistoryEntry read_history_entry(const std::string& directory);

}  // namespace stallproof
