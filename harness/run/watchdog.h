// SPDX-License-Identifier: Apache-2.0
// The watchdog's loop. One tick: read what the loads do (and, when due, scan the kernel's tasks and
// drain its log) into one SystemView, let every detector judge it, fold the findings into the
// incident, tell the controller. See watchdog_role.h for what the loop may not do.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "harness/base/suspend_time.h"
#include "harness/board/evidence.h"
#include "harness/detect/blocked_tasks.h"
#include "harness/detect/cpu_queue.h"
#include "harness/detect/detector_table.h"
#include "harness/detect/dropout.h"
#include "harness/detect/incident.h"
#include "harness/detect/load_thresholds.h"
#include "harness/detect/no_progress.h"
#include "harness/probe/kernel_scan.h"
#include "harness/probe/kmsg_reader.h"
#include "harness/run/lock_queue.h"
#include "harness/run/progress_source.h"
#include "harness/run/system_watch.h"

namespace stallproof {

inline constexpr std::size_t kKmsgPerTick = 2048;

struct WatchdogOptions {
  Nanos tick = 100 * kMillisecond;
  Thresholds thresholds;
  std::vector<OwnThresholds> own;  // of loads that have theirs
  int channel_fd = -1;
  Nanos (*suspended_ns)() = suspended_now;
};

class Watchdog {
 public:
  Watchdog(std::unique_ptr<ProgressSource> progress, Evidence evidence,
           const WatchdogOptions& options);
  // Before load starts: opens the scan and the kernel log, touches all memory. What cannot be
  // opened costs sight, not the run: the reason stands in the evidence (scan_problem).
  void open_probes();
  // After open_probes(): what is refused stands in the evidence (protection_problem).
  void protect();
  // Ticks until told to quit or the controller is gone.
  void run();
  // One tick, for tests of what it costs.
  void tick_once();

 private:
  void tick();
  void look_at_gap(Nanos now);
  void scan_if_due(bool incident_opened);
  [[nodiscard]] bool scan_due(Nanos now) const;
  [[nodiscard]] Nanos suspicious_after(std::size_t load) const;
  [[nodiscard]] bool suspicious(Nanos now) const;
  void scan(Nanos now, KernelScan::Depth depth);
  [[nodiscard]] bool something_stands(Nanos now) const;
  void watch_processes();
  void feed_blocked_tasks(const ScanSlot& slot);
  void feed_cpu_queue(const ScanSlot& slot);
  void count_lock_queue(const ScanSlot& slot);
  void judge();
  // One incident at a time of the run's loads, and one of the canary's beside it.
  struct IncidentLine {
    IncidentTracker tracker;
    std::uint32_t flag = 0;          // in the numbers of its incidents
    std::uint32_t support_told = 0;  // kinds the controller knows of, by bits
  };
  void report_change(IncidentLine& line, IncidentChange change);
  void report_dropouts();
  void report_support(IncidentLine& line);
  void send(const WatchEvent& event);
  [[nodiscard]] WatchEvent incident_event(WatchEventKind kind, const IncidentLine& line) const;
  [[nodiscard]] bool standing() const {
    return incident_.tracker.standing() || canary_.tracker.standing();
  }
  void record_view();
  void drain_kernel_log();
  void update_health(Nanos began);
  void note_cpu();
  [[nodiscard]] bool wait_for_next_tick();
  void obey(WatchCommand command);

  std::unique_ptr<ProgressSource> progress_;
  Evidence evidence_;
  WatchdogOptions options_;
  LoadThresholds limits_;
  std::optional<KernelScan> scanner_;
  std::optional<KmsgReader> kernel_log_;
  KmsgRing kmsg_{kKmsgPerTick};  // what came since the last tick; the rest waits for the next one

  SystemWatch system_;
  QuietFunctions quiet_;
  SystemView view_;
  FindingList findings_;
  NoProgress no_progress_;
  StuckOp stuck_op_;
  Dropout dropout_;
  std::vector<std::unique_ptr<Detector>> detectors_;  // those that need nothing but the view
  std::unique_ptr<BlockedTaskTable> blocked_table_;
  std::unique_ptr<CpuQueue> cpu_queue_;
  std::unique_ptr<LockQueue> lock_queue_;
  IncidentLine incident_, canary_;

  bool knows_queues_;  // for a CPU
  bool knows_gaps_;
  Nanos next_tick_ns_ = 0;
  Nanos last_tick_ns_ = 0;
  Nanos last_scan_ns_ = 0;
  Nanos suspended_ns_ = 0;  // as of the last tick
  std::uint64_t scan_sequence_ = 0;
  std::array<std::int32_t, kWatchedMax> watched_{};  // processes the scan knows, 0 = none
  Nanos judge_from_ns_ = 0;                          // a gap forbids judgement before
  bool load_ended_ = false;
  bool quit_ = false;
};

}  // namespace stallproof
