// SPDX-License-Identifier: Apache-2.0
// Evidence: shared memory in which the watchdog leaves what it saw (raw task scans, kernel log,
// views of the last minute) and how well it is (heartbeat, lag, losses). Fixed size, allocated and
// touched before load starts, so that nothing has to be allocated or written to a disk while the
// machine stands still. Writer: the watchdog, but for `watched` (controller). Reader: the
// controller. Events that point into it travel over a SOCK_SEQPACKET socket (WatchEvent).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/board/board.h"
#include "harness/board/system_row.h"

namespace stallproof {

inline constexpr std::size_t kScanSlots = 4;
inline constexpr std::size_t kScanBytes = 2U << 20U;
inline constexpr std::size_t kKmsgBytes = 512U << 10U;
inline constexpr std::size_t kKmsgPiece = 1024;  // most bytes written before kmsg_written moves on
inline constexpr std::size_t kViewRows = 640;    // 60 s at 100 ms and some
inline constexpr std::size_t kWatchedMax = 1024;
inline constexpr std::size_t kKmsgKinds = 8;  // room for the kinds that detect/ knows

// One raw task scan. `sequence` is 0 while it is being written, else the number of the scan.
struct ScanSlot {
  std::atomic<std::uint64_t> sequence;
  std::uint64_t taken_ns;
  std::uint64_t size;
  std::uint64_t truncated;
  std::array<std::byte, kScanBytes> bytes;
};

// One tick's look at the loads, for the minute before an incident.
struct ViewRow {
  std::uint64_t at_ns;
  std::array<std::uint64_t, kMaxLoads> ops;
  std::array<std::uint32_t, kMaxLoads> in_flight;
  std::array<std::uint64_t, kMaxLoads> oldest_started_ns;  // of those in flight; 0: none is
};

struct WatchdogHealth {
  std::atomic<std::uint64_t> heartbeat_ns;
  std::atomic<std::uint64_t> ticks;
  std::atomic<std::uint64_t> tick_max_ns;           // longest work of one tick
  std::atomic<std::uint64_t> tick_max_in_stall_ns;  // the same while an incident stood
  std::atomic<std::uint64_t> lag_max_ns;            // latest wake-up after its due time
  std::atomic<std::uint64_t> gaps;          // ticks after which the watchdog had not been run
  std::atomic<std::uint64_t> gap_ns;        // how long all of them together
  std::atomic<std::uint64_t> suspended_ns;  // of the machine, in some of them; no part of gap_ns
  std::atomic<std::uint64_t> cpu_ns;
  std::atomic<std::uint64_t> scans;
  std::atomic<std::uint64_t> scan_max_ns;
  std::atomic<std::uint64_t> scan_failures;
  std::atomic<std::uint64_t> scans_truncated;  // scans that did not fit into their slot
  std::atomic<std::uint64_t> kmsg_records;
  std::atomic<std::uint64_t> kmsg_lost;
  std::array<std::atomic<std::uint64_t>, kKmsgKinds> kmsg_events;  // by kind of trouble told
  std::atomic<std::uint64_t> events_dropped;
  std::atomic<std::uint64_t> findings_dropped;
  // Of our own loads, as of the last scan: in D, those of them that a signal would end, and others
  // that are asleep in S in the midst of a call.
  std::atomic<std::uint32_t> blocked_tasks;
  std::atomic<std::uint32_t> blocked_killable;
  std::atomic<std::uint32_t> asleep_in_calls;
};

// Who waits for the mmap_lock of any process, as of the last scan. Writer: the watchdog.
struct LockQueueRow {
  std::atomic<std::uint32_t> read_waiters;
  std::atomic<std::uint32_t> write_waiters;
  std::atomic<std::uint64_t> oldest_since_ns;  // asleep there since then at least; 0: nobody
};

// One load that is not ours: the threads of one process. Writer: the watchdog.
struct TargetRow {
  std::atomic<std::int32_t> tgid;  // 0: no such load (yet); -1: shared by many processes
  std::array<char, 16> comm;
  std::atomic<std::uint32_t> threads;
  std::atomic<std::uint32_t> io_threads;          // seen at file-system work in the last minute
  std::atomic<std::uint64_t> suspected_since_ns;  // no progress, yet nobody seen blocked; 0: no
  // Of the thread that sleeps longest, unchanged, in a file-system wait; 0: none does.
  std::atomic<std::uint64_t> blocked_since_ns;
  std::atomic<std::uint64_t> last_done_ns;  // last completion seen; 0: none yet
};

// A process to watch. Writer: the controller.
struct WatchedProcess {
  std::atomic<std::int32_t> tgid;      // 0 = free entry
  std::atomic<std::uint32_t> canary;   // 1: stalls on purpose; set before `tgid`
  std::atomic<std::uint64_t> reads;    // calls completed, from /proc/PID/io, where BPF is refused
  std::atomic<std::uint64_t> seen_ns;  // when `reads` was read; 0: never
};

// A disk of the system rows. Writer: the watchdog; `name` is set before `disk_count` counts it.
struct DiskName {
  std::array<char, 32> bytes;
};

// Room for what a supporting detector found, in words: "vdb", "connection 40", a line of a log.
inline constexpr std::size_t kSubjectBytes = 120;

struct EvidenceArea {
  std::uint64_t magic;
  // What cannot be seen and why, as C strings; empty when it can. Set before "ready".
  std::array<char, 256> scan_problem;        // the kernel's tasks and locks
  std::array<char, 256> fuse_problem;        // FUSE requests and servers
  std::array<char, 256> kmsg_problem;        // the kernel log
  std::array<char, 256> target_problem;      // threads of foreign load
  std::array<char, 256> system_problem;      // pressure, disks, hung tasks
  std::array<char, 256> protection_problem;  // by what this machine can stop the watchdog
  std::array<char, 256> left_out;            // detectors that were switched off on purpose, by name
  WatchdogHealth health;
  LockQueueRow mmap_lock;
  std::array<WatchedProcess, kWatchedMax> watched;
  std::array<TargetRow, kMaxLoads> targets;
  std::atomic<std::uint64_t> target_sample_max_ns;  // longest look at the target's threads
  std::array<ScanSlot, kScanSlots> scans;
  std::atomic<std::uint64_t> view_count;  // rows ever written; row i is at i % kViewRows
  std::array<ViewRow, kViewRows> views;
  // Numbers of the FUSE connections to watch, 0 = free entry. Writer: the controller.
  std::array<std::atomic<std::uint32_t>, kSystemFuse> watched_fuse;
  std::array<DiskName, kSystemDisks> disk_names;
  std::atomic<std::uint32_t> disks_left_out;  // used disks for which there was no room, last look
  std::atomic<std::uint32_t> disk_count;
  std::atomic<std::uint64_t> system_count;  // rows ever written; row i is at i % kSystemRows
  std::array<SystemRow, kSystemRows> system_rows;
  std::atomic<std::uint64_t> kmsg_written;  // bytes ever written; a ring of whole lines
  std::array<char, kKmsgBytes> kmsg;
};

class Evidence {
 public:
  Evidence() = default;
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;
  Evidence(Evidence&& other) noexcept;
  Evidence& operator=(Evidence&& other) noexcept;
  ~Evidence();

  static Result<Evidence> create();
  static Result<Evidence> attach(int fd);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] EvidenceArea& area() { return *area_; }
  [[nodiscard]] const EvidenceArea& area() const { return *area_; }

 private:
  Fd fd_;
  EvidenceArea* area_ = nullptr;
};

// Copies of the rings for the controller, which reads while the watchdog writes: what was written
// over during the copy is left out. The log begins with a whole line, the views with the oldest.
// `since`: no byte older than that one (SystemRow::kmsg_written).
std::string copy_kernel_log(const EvidenceArea& area, std::uint64_t since = 0);
// Views: only those younger than `since_ns`.
std::vector<ViewRow> copy_views(const EvidenceArea& area, std::uint64_t since_ns = 0);
std::optional<ViewRow> newest_view(const EvidenceArea& area);
std::vector<SystemRow> copy_system_rows(const EvidenceArea& area);

enum class WatchEventKind : std::uint32_t {
  incident_opened,
  incident_extended,
  incident_resolved,
  scan_taken,
  dropout_begin,
  dropout_end,
  gap,
  supported,  // a detector that only supports has something to say of an incident
};

// In the number of an incident: it is of the canary, not of the run.
inline constexpr std::uint32_t kCanaryIncident = 1U << 31U;

// Watchdog to controller, one datagram each.
struct WatchEvent {
  WatchEventKind kind;
  std::uint32_t incident;  // number, 0 when none
  std::uint32_t load;      // dropouts
  std::uint32_t kinds;     // FindingKind bits of an incident
  std::uint64_t at_ns;     // when it was noticed
  std::uint64_t since_ns;  // onset, begin
  std::uint64_t scan;      // sequence of a scan
  std::uint32_t blocked;   // tasks blocked, for incidents
  std::uint32_t stalled;   // bit per load, for incidents
  double ratio;
  std::uint64_t suspended_ns;               // of a gap: the machine was suspended in it
  std::array<char, kSubjectBytes> subject;  // of `supported`, a C string
};

// Controller to watchdog.
enum class WatchCommand : std::uint32_t { end_load, quit };

}  // namespace stallproof
