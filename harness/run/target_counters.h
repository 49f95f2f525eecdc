// SPDX-License-Identifier: Apache-2.0
// What the kernel counts for a foreign target anyway, once a second: /proc/PID/io (through a
// sacrificial child: it takes exec_update_lock), cgroup counters, /proc/diskstats, the watchdog's
// own view. Becomes series/seconds.csv. Controller only; one sample takes at most `limit`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/board/evidence.h"
#include "harness/probe/probe_child.h"
#include "harness/run/observer_report.h"
#include "harness/run/watch_target.h"

namespace stallproof {

// Counts since the process or device exists. Absent: could not be read this time.
struct TargetIo {
  std::uint64_t reads = 0;  // calls of read kind; requests, for devices and cgroups
  std::uint64_t writes = 0;
  std::uint64_t read_bytes = 0;  // that reached the storage layer, for processes
  std::uint64_t write_bytes = 0;
};

struct DiskTotals {
  TargetIo totals;
  std::uint64_t in_flight = 0;
};

// Pure parsers; nullopt when the text holds no such line.
std::optional<TargetIo> parse_process_io(std::string_view text);
// v2 io.stat ("8:0 rbytes=… wbytes=… rios=… wios=…"), summed over devices.
std::optional<TargetIo> parse_cgroup_io_stat(std::string_view text);
// v1 blkio.throttle.io_serviced ("8:0 Read 12"), summed over devices; bytes stay 0.
std::optional<TargetIo> parse_cgroup_serviced(std::string_view text);
// `device`: "8 0" as the first two fields.
std::optional<DiskTotals> parse_diskstats(std::string_view text, std::string_view device);

class TargetCounters {
 public:
  struct Row {
    Nanos at_ns = 0;
    std::uint64_t completed = 0;  // as the watchdog counts
    std::uint32_t in_flight = 0;
    std::optional<TargetIo> processes, group;
    std::optional<DiskTotals> disk;
  };

  void sample(Nanos now, const WatchTarget& target, const std::vector<pid_t>& tgids,
              const EvidenceArea& area, ProbeChild* probe);
  // Calls of each process at the last sample; 0 where they could not be read.
  [[nodiscard]] const std::vector<std::uint64_t>& calls() const { return calls_; }
  // Of the first, the last and the last but one sample; at_ns 0: there is none yet.
  [[nodiscard]] const Row& first() const { return first_; }
  [[nodiscard]] const Row& last() const { return last_; }
  [[nodiscard]] const Row& before() const { return before_; }
  [[nodiscard]] static std::string csv_header();
  // Growth in the last sample, a line; empty fields where a source could not be read, no line for
  // the first one.
  [[nodiscard]] std::string csv_row(const RunClock& clock) const;

 private:
  std::optional<TargetIo> read_processes(const std::vector<pid_t>& tgids, ProbeChild* probe);

  Row first_, before_, last_;
  std::vector<std::uint64_t> calls_;
};

}  // namespace stallproof
