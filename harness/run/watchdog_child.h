// SPDX-License-Identifier: Apache-2.0
// The watchdog as its controller sees it: the process, the evidence it leaves, the socket its
// events come over. Controller only, main thread only (the child dies with it).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/process.h"
#include "harness/base/settings.h"
#include "harness/board/evidence.h"
#include "harness/detect/load_thresholds.h"

namespace stallproof {

// Starts a child in a role and waits until it says that it is ready. `child` is set, and `noted`
// called with its pid, as soon as there is a process, ready or not: what may need ending is known.
// `program`: as for Child::spawn.
Result<> start_role(Child& child, const char* role, Settings words, const std::vector<int>& keep,
                    const std::function<void(pid_t)>& noted, Nanos within = 15 * kSecond,
                    int program = -1);

class WatchdogChild {
 public:
  struct Setup {
    Thresholds thresholds;
    std::vector<OwnThresholds> own;  // of loads that have theirs
    int board_fd = -1;  // our own loads; -1: foreign processes, named by watch_process()
    std::function<void(pid_t)> noted;
    int canary_fd = -1;  // board of the canary's loads, counted behind those of board_fd; -1: none
    // Without a board: processes of a canary are told apart and judged by these; absent: there is
    // no canary.
    std::optional<Thresholds> canary;
  };
  static Result<WatchdogChild> create();
  // Returns when the watchdog has opened and touched all it needs. On failure the process, if there
  // is one, is ended by end() as ever.
  Result<> start(const Setup& setup);

  // From now on the scans tell everything about this process. False when the table is full.
  enum class Whose { run, canary };
  bool watch_process(pid_t pid, Whose whose = Whose::run);
  void forget_process(pid_t pid);
  // From now on this FUSE connection's unanswered requests are looked at. Name it before load
  // starts. Ignored when the table is full.
  void watch_connection(std::uint32_t number);
  void forget_connection(std::uint32_t number);
  void command(WatchCommand command) const;
  // Next event, if one is waiting.
  [[nodiscard]] std::optional<WatchEvent> next_event() const;
  // Empty, or the process that could not be ended.
  std::string end();

  [[nodiscard]] Evidence& evidence() { return evidence_; }
  [[nodiscard]] const Evidence& evidence() const { return evidence_; }
  [[nodiscard]] Child& child() { return child_; }
  [[nodiscard]] const Child& child() const { return child_; }
  [[nodiscard]] int channel_fd() const { return channel_.get(); }

 private:
  Evidence evidence_;
  Fd channel_;
  Child child_;
};

}  // namespace stallproof
