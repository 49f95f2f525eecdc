// SPDX-License-Identifier: Apache-2.0
// What the cooperating file-system service (ffs) tells about itself, and the one word by which the
// controller arms its misbehaviour. Part of the board. Several service threads write: atomics.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace stallproof {

enum class Behaviour : std::uint32_t {
  plain,
  read_error,  // decided when a page read arrives (PageIntake), as invalidate
  invalidate,
  silent,    // the receiver keeps requests (HeldRequests): all of them, never answered while armed
  hold_one,  // the first request after arming, and no other
  hold_reads,
  hold_writes,
  hold_lookups,  // of the first name that is asked for
  slow,          // all requests: answered after FfsOptions::pause, as below
  slow_reads,
  slow_writes,
  slow_lookups,
  copy_at_read,  // a service thread goes elsewhere before it answers (detour.h)
  copy_at_write,
  audit_cmdline,
  audit_comm,
  own_mount,
};

// A second-try page read that the service has received and not yet answered: its thread holds
// mmap_lock for read until the answer comes. The tests' own truth; explain never sees it.
struct OpenHazard {
  std::atomic<std::uint32_t> tid;  // 0 = free entry
  std::atomic<std::uint32_t> reserved;
  std::atomic<std::uint64_t> offset;
  std::atomic<std::uint64_t> since_ns;
};

struct ServicePanel {
  alignas(64) std::atomic<std::uint32_t> behaviour;   // Behaviour; written by the controller only
  std::atomic<std::uint64_t> armed_ns;                // when the controller last wrote `behaviour`
  alignas(64) std::atomic<std::uint64_t> page_reads;  // answered, with data or with an error
  std::atomic<std::uint64_t> direct_reads;
  std::atomic<std::uint64_t> hazards;        // second-try page reads received
  std::atomic<std::uint64_t> read_errors;    // EIO sent on purpose
  std::atomic<std::uint64_t> invalidations;  // notify_inval_inode sent
  std::atomic<std::uint64_t> copy_failures;  // process_vm_writev that did not copy everything
  std::atomic<std::uint64_t> writes;         // answered, whether there was room or not
  std::array<OpenHazard, 128> open_hazards;
};

}  // namespace stallproof
