// SPDX-License-Identifier: Apache-2.0
// The controller's eyes on a standing system: turns the watchdog's raw scans into snapshots, or
// reads /proc through a sacrificial child where BPF is refused, and explains what it sees. Symbol
// tables and file-system knowledge are loaded before the load starts.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/board/evidence.h"
#include "harness/detect/catalogue.h"
#include "harness/explain/explanation.h"
#include "harness/explain/fs_knowledge.h"
#include "harness/probe/block_devices.h"
#include "harness/probe/kernel_symbols.h"
#include "harness/probe/lock_snapshot.h"
#include "harness/probe/probe_child.h"
#include "harness/run/blocked_history.h"

namespace stallproof {

class LiveLens {
 public:
  // A symbol table that cannot be read costs function names: a blind spot, not a failure.
  // `without`: see explain().
  static Result<LiveLens> open(const std::vector<std::string>& fs_files, DetectorSet without = 0);

  // Copies a scan out of the evidence before the watchdog writes over it. False when it already
  // has, and when it was a quick one, which says too little to explain anything.
  bool keep_scan(const Evidence& evidence, std::uint64_t sequence);
  // The newest kept scan, compared with the newest one that is at least 200 ms older.
  // Only what concerns these processes and those they wait for.
  [[nodiscard]] std::optional<LockSnapshot> snapshot(const std::vector<pid_t>& processes) const;
  // Who was blocked where in the minute before, from the kept scans; see BlockedHistory.
  [[nodiscard]] std::string blocked_before(Nanos until) const;
  // The fall-back: tasks of these processes by /proc, within the time limit. `blocked`: also those
  // of others that are blocked, since nobody can tell there which of them these wait for.
  enum class Others { none, blocked };
  Result<LockSnapshot> snapshot_by_proc(const std::vector<pid_t>& processes, Nanos limit,
                                        Others others = Others::none);
  // Whether stacks of other tasks can be read through /proc at all (CAP_SYS_ADMIN since 4.20);
  // tried on `sleeper`, a process that mostly sleeps: a running one has none.
  bool sees_stacks(pid_t sleeper);
  // The child that reads what may hang; null when it could not be started.
  ProbeChild* probe();
  [[nodiscard]] const ProbeChild* probe_if_started() const { return probe_.get(); }
  [[nodiscard]] Explanation explain_snapshot(const LockSnapshot& snapshot) const;
  [[nodiscard]] std::uint64_t probe_timeouts() const;
  // By the name of the file that did not answer.
  [[nodiscard]] std::map<std::string, std::uint64_t> probe_timeouts_by_file() const;
  // Readers that were killed and are still there.
  [[nodiscard]] std::size_t stuck_probes() const;

 private:
  struct KeptScan {
    std::uint64_t sequence = 0;
    Nanos taken_ns = 0;
    bool truncated = false;
    std::vector<std::byte> bytes;
    DeviceLook devices;
  };
  static constexpr std::size_t kKept = 6;

  FsKnowledge knowledge_;
  DetectorSet without_ = 0;
  std::optional<KernelSymbols> symbols_;
  std::string symbols_problem_;
  std::unique_ptr<ProbeChild> probe_;
  std::vector<KeptScan> kept_;  // oldest first
  BlockedHistory blocked_;
};

}  // namespace stallproof
