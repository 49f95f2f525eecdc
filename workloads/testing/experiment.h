// SPDX-License-Identifier: Apache-2.0
// For the kernel tests: one ffs and one worker process on a fresh directory, judged from outside by
// the board alone, and healed however badly they hang: connection aborted, worker killed, ffs
// killed, in this order, because a server killed first leaves its clients stuck for good. Forks, so
// it is used from single-threaded processes. Every wait has a deadline.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/board/board.h"

namespace stallproof {

class Experiment {
 public:
  struct Plan {
    std::vector<std::string> ffs_words = {};
    std::vector<std::string> worker_words = {};
    unsigned direct_readers = 8;
    unsigned faulters = 4;
    unsigned writers = 2;  // 0: fix no-writer
    std::uint64_t seed = 1;
    // Bytes; > 0: the loads work on a file of the tree, filled with the pattern and in no cache,
    // instead of on `data`. Needs writable=yes.
    std::uint64_t tree_file = 0;
    // The worker's own; null: all loads of the board by the catalogue.
    int (*worker_role)(const std::vector<std::string>& words) = nullptr;
  };
  // Mounted, both processes ready, loads running with plain behaviour.
  static Result<std::unique_ptr<Experiment>> start(const Plan& plan);
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;
  ~Experiment();

  Board& board() { return board_; }
  ServicePanel& panel() { return board_.header().service; }
  // State letter by thread name, from /proc/PID/task/TID/status, which takes no lock of the mm.
  [[nodiscard]] std::map<std::string, char> ffs_thread_states() const;

  void arm(Behaviour behaviour);
  // True once the given loads (none given: all) have operations in flight and none of them has
  // completed for `silence`.
  bool stalled_by(Deadline deadline, const std::vector<std::string>& loads = {},
                  Nanos silence = kSecond);
  // From arming to the last completion; 0 if nothing completed after it.
  Nanos armed_to_last_completion();
  Nanos last_completion(const std::vector<std::string>& loads = {});
  // Sum over the slots of a load.
  std::uint64_t ops_of(std::string_view load);
  std::uint64_t mismatches();

  // umount2(MNT_FORCE) by a process that may hang in our place; true when the loads move or fail
  // again within a second.
  bool heal();
  // SIGKILL; true when it is gone in time.
  bool kill_worker_by(Deadline deadline);
  // True when ffs has gone by itself, with exit code 0, in time.
  bool ffs_ended_by(Deadline deadline);
  void terminate_ffs();
  // Phase::stop and SIGTERM; empty when both processes ended with 0 and the mount is gone, else
  // what went wrong. Cleans up in any case.
  std::string finish();

 private:
  Experiment() = default;
  Result<> start_processes(const Plan& plan);
  [[nodiscard]] std::vector<const BoardSlot*> slots_of(const std::vector<std::string>& loads) const;
  void force_clean();

  Board board_;
  std::string directory_;
  pid_t ffs_pid_ = -1;
  pid_t worker_pid_ = -1;
};

// Why these tests cannot run here; nullopt when they can.
std::optional<std::string> experiment_unsupported();

void sleep_for(Nanos span);

}  // namespace stallproof
