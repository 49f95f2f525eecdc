// SPDX-License-Identifier: Apache-2.0
// What a run has changed on the machine, written down before it is changed, so that the next start
// can undo it after a SIGKILL. Lives in /run/stallproof/RUN/: a `journal` file, locked as long as
// the run's controller lives, beside the run's mount point.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

class UndoJournal {
 public:
  static Result<UndoJournal> create(const std::string& run_id);
  UndoJournal(UndoJournal&&) = default;
  UndoJournal& operator=(UndoJournal&&) = default;

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string mount_point() const { return directory_ + "/mnt"; }
  // Before a child may be forgotten: its pid and start time, so that a recycled pid is left alone.
  void note_process(std::string_view role, pid_t pid);
  // All undone: removes the run's directory. False when something is still mounted or in it.
  bool finish();

 private:
  UndoJournal() = default;
  std::string directory_;
  Fd file_;
};

// Undoes what runs whose controller is dead have left: aborts their FUSE connections, kills their
// processes by pid and start time, unmounts, removes. Bounded in time. Returns one line for each
// thing undone or found impossible to undo.
std::vector<std::string> undo_leftovers();

// Start time of a process in clock ticks since boot, 0 when it is gone. Field 22 of
// /proc/PID/stat, read by a child: since 6.1.y it takes exec_update_lock and may hang.
unsigned long long process_start_ticks(pid_t pid);

}  // namespace stallproof
