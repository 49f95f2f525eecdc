// SPDX-License-Identifier: Apache-2.0
// The index over run directories, history.db in the state directory. The directories are the truth:
// the index is made anew from them at any time. Controller and commands; blocks on the disk and at
// most 1 s on another process's lock.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/store/history_entry.h"
#include "harness/store/sqlite_database.h"

namespace stallproof {

class History {
 public:
  // Both: an Error says what to do about a file that is damaged, another program's, or newer.
  // `state`: the state directory (run_dir.h), made when missing. Where it cannot be written, what
  // is there is read; where nothing is, an index for this process alone is made in memory.
  static Result<std::unique_ptr<History>> open(const std::string& state);
  // To make it anew: a damaged file is moved aside, and `aside` is where it is kept.
  static Result<std::unique_ptr<History>> open_undamaged(const std::string& state,
                                                         std::string& aside);

  // One run; an earlier entry of the same run is replaced.
  Result<> put(const HistoryEntry& entry);

  struct Found {
    std::size_t added = 0;  // or read again, because they have ended since
    std::string left_out;   // why what was found could not be added; empty: all is in
  };
  // Picks up the runs of the state directory that did not or could not add themselves. Only names
  // are compared; what is not known, or had not ended, is read. A lock is waited for once.
  Result<Found> pick_up();

  struct Rebuilt {
    std::size_t runs = 0;
    std::vector<std::string> gone;  // directories that were indexed and are no more
  };
  // All anew: the runs of the state directory, those elsewhere that were indexed, and those given
  // (run directories, or folders of them). One transaction: readers see the old or the new.
  Result<Rebuilt> rebuild(const std::vector<std::string>& elsewhere);

  // For queries. Ask failure() afterwards.
  Database& database() { return database_; }
  [[nodiscard]] Result<> failure() const;
  [[nodiscard]] bool can_write() const { return can_write_; }

 private:
  explicit History(std::string state) : state_(std::move(state)) {}
  void open_database();
  void open_unwritable();
  [[nodiscard]] bool keeps_what_it_adds() const { return can_write_ || in_memory_; }
  std::string state_;
  Database database_;
  bool can_write_ = false, in_memory_ = false;
};

std::string history_file(const std::string& state);

}  // namespace stallproof
