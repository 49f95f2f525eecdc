// SPDX-License-Identifier: Apache-2.0
// A process that reads files which may never answer (/proc/PID/stack takes exec_update_lock, 5.11
// to 6.18). It gets a path, returns the bytes, and is killed and replaced at the deadline. One that
// does not die is left behind and counted. Used by the controller only: it forks, so never from the
// watchdog, and from one thread at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

class ProbeChild {
 public:
  // Files are cut at this length.
  static constexpr std::size_t kMaxBytes = 64 << 10;
  // So many children stuck in the kernel and no more are started.
  static constexpr std::size_t kMaxAbandoned = 8;

  static Result<ProbeChild> start();
  ProbeChild(ProbeChild&&) noexcept = default;
  ProbeChild& operator=(ProbeChild&&) = delete;
  ~ProbeChild();

  // The file's content; an Error naming the path when it cannot be read or does not answer in time.
  Result<std::string> read(const std::string& path, Deadline deadline);

  [[nodiscard]] std::uint64_t timeouts() const { return timeouts_; }
  // The same by the name of the file ("stack", "io"), without its directories.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& timeouts_by_file() const {
    return timeouts_by_file_;
  }
  // Children that were killed and are still there. The first gives them a moment to go, the second
  // leaves out those that have not had it.
  [[nodiscard]] std::size_t abandoned();
  [[nodiscard]] std::size_t stuck();
  [[nodiscard]] pid_t pid() const { return pid_.value; }

 private:
  ProbeChild() = default;
  // -1 after a move, so that only one owner kills.
  struct OwnedPid {
    pid_t value = -1;
    OwnedPid() = default;
    OwnedPid(OwnedPid&& other) noexcept : value(std::exchange(other.value, -1)) {}
    OwnedPid& operator=(OwnedPid&& other) noexcept {
      value = std::exchange(other.value, -1);
      return *this;
    }
  };
  Result<> spawn();
  void give_up();

  Fd socket_;
  OwnedPid pid_;
  struct Killed {
    pid_t pid;
    Nanos at_ns;
  };
  std::size_t reap();
  std::vector<Killed> killed_;  // and not seen to end
  std::uint64_t timeouts_ = 0;
  std::map<std::string, std::uint64_t> timeouts_by_file_;
};

}  // namespace stallproof
