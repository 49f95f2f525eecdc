// SPDX-License-Identifier: Apache-2.0
// For tests: the processes that meet at one mmap_lock. A client faults a page of a StuckFuse file,
// then a second thread of it calls mprotect; a peer process reads the client's memory. All are
// forks, so nothing of the test's own address space can get stuck.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "harness/base/clock.h"

namespace stallproof::testing {

inline constexpr std::size_t kMaxFaulters = 4;

// Shared by the forks: thread ids as they begin, marks as they get through.
struct TrapBoard {
  std::array<std::atomic<std::int32_t>, kMaxFaulters> faulters;
  std::array<std::atomic<std::uint64_t>, kMaxFaulters> fault_addresses;
  std::atomic<std::int32_t> writer;
  std::atomic<std::int32_t> peer;
  std::atomic<std::uint64_t> target;  // an address in the client that the peer reads
  std::atomic<bool> writer_ready;
  std::atomic<bool> go_faulters;
  std::atomic<bool> go_writer;
  std::atomic<bool> writer_done;
  std::atomic<bool> peer_done;
};

class MmapLockTrap {
 public:
  // Each faulter touches a page of its own: the (n + 3)rd of the file.
  explicit MmapLockTrap(const std::string& file, std::size_t faulters = 1);
  MmapLockTrap(const MmapLockTrap&) = delete;
  MmapLockTrap& operator=(const MmapLockTrap&) = delete;
  // Heal the file system first, or the faulting thread is waited for in vain.
  ~MmapLockTrap();

  // Each starts one party and waits until it has begun, not until it is stuck.
  bool start_faults();
  bool start_writer();
  bool start_peer();
  [[nodiscard]] const TrapBoard& board() const { return *board_; }
  [[nodiscard]] pid_t client() const { return client_; }

 private:
  std::string file_;
  std::size_t faulters_;
  TrapBoard* board_;
  pid_t client_ = -1;
  pid_t peer_ = -1;
};

// Polls every 5 ms until the condition holds or the time is over.
template <class Condition>
bool wait_for(Nanos span, Condition condition) {
  const Deadline deadline = Deadline::in(span);
  while (!condition()) {
    if (deadline.passed()) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

}  // namespace stallproof::testing
