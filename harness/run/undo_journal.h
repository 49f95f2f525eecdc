// SPDX-License-Identifier: Apache-2.0
// What a run has changed on the machine, written down before it is changed, so that the next start
// can undo it after a SIGKILL. Lives in /run/stallproof/RUN/: a `journal` file, locked as long as
// the run's controller lives, beside the run's mount point. The journal stays until nothing is left
// that it would be needed for. Controller only; every call is bounded in time (a second start waits
// up to 20 s for one that is undoing).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/kernel_setting.h"
#include "harness/base/result.h"
#include "harness/run/scratch_directory.h"

namespace stallproof {

inline constexpr const char* kRuntimeDirectory = "/run/stallproof";

// kRuntimeDirectory for root; for others a place of their own.
std::string runtime_directory();

class UndoJournal {
 public:
  // `runtime` is made when missing; its parent must exist.
  static Result<UndoJournal> create(const std::string& run_id,
                                    const std::string& runtime = kRuntimeDirectory);
  UndoJournal(UndoJournal&&) = default;
  UndoJournal& operator=(UndoJournal&&) = default;

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string run() const { return directory_.substr(directory_.rfind('/') + 1); }
  [[nodiscard]] std::string mount_point() const { return directory_ + "/mnt"; }
  // Before a child may be forgotten: its pid and start time, so that a recycled pid is left alone.
  void note_process(std::string_view role, pid_t pid);
  // For people: by this number the connection can be ended when its mount is out of reach.
  void note_connection(std::uint32_t number);
  // Before it is changed; the path has no blank in it. Of one path the last note counts.
  void note_setting(const ChangedSetting& setting);
  // Before it is made.
  void note_scratch(const ScratchDirectory& scratch);
  // Nothing uses the scratch directories any more: removes them. One line for each that is left;
  // those that only wait for their file system to answer stay in the journal.
  std::vector<std::string> remove_scratches();
  // All undone: removes the run's directory. An Error names what still lives or is mounted there;
  // the journal is kept then.
  Result<> finish();

 private:
  UndoJournal() = default;
  void append(const std::string& line);
  std::string runtime_;
  std::string directory_;
  std::vector<ScratchDirectory> scratches_;  // made and not yet known to be gone
  Fd file_;
};

// Undoes what runs whose controller is dead have left: settings of the kernel are put back, what
// was injected is lifted (undo_injection.h), FUSE connections are aborted, processes killed by pid
// and start time; then all is unmounted and removed, on the file systems under test too. Returns
// one line for each thing undone or found impossible to undo; what was impossible is tried again by
// the next call.
std::vector<std::string> undo_leftovers(const std::string& runtime = kRuntimeDirectory);

}  // namespace stallproof
