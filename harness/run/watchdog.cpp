// SPDX-License-Identifier: Apache-2.0
#include "harness/run/watchdog.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <tuple>

namespace stallproof {
namespace {

constexpr Nanos kScanEvery = kSecond;
constexpr Nanos kScanEveryWhenSuspicious = 250 * kMillisecond;
// Of stall-after, in eighths: early enough for two scans before it is over.
constexpr Nanos kSuspiciousEighths = 3;
// After detection, for the two looks 200 ms apart that confirm a circle and some to spare.
constexpr Nanos kLookTwice = 1500 * kMillisecond;
// Later than this and the watchdog was not run: nothing it sees now may be called a stall. The same
// where the machine was suspended for longer: the clock stood then, and all loads with it.
constexpr Nanos kGap = 500 * kMillisecond;
// After a gap nothing is called a stall before it has been seen to stand for stall-after: the loads
// may not have been run either. At least and at most that long:
constexpr Nanos kAfterGapMin = 300 * kMillisecond;
constexpr Nanos kAfterGapMax = 5 * kSecond;

void raise_to(std::atomic<std::uint64_t>& maximum, std::uint64_t value) {
  if (value > maximum.load(std::memory_order_relaxed))
    maximum.store(value, std::memory_order_relaxed);
}

Nanos process_cpu_now() {
  timespec ts{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return static_cast<Nanos>(ts.tv_sec) * kSecond + static_cast<Nanos>(ts.tv_nsec);
}

}  // namespace

Watchdog::Watchdog(std::unique_ptr<ProgressSource> progress, Evidence evidence,
                   const WatchdogOptions& options)
    : progress_(std::move(progress)),
      evidence_(std::move(evidence)),
      options_(options),
      limits_(options.thresholds, options.own),
      system_(progress_->own_load()),
      no_progress_(limits_),
      stuck_op_(limits_),
      dropout_(limits_),
      detectors_(make_detectors(options.thresholds)),
      blocked_table_(std::make_unique<BlockedTaskTable>()),
      cpu_queue_(std::make_unique<CpuQueue>()),
      lock_queue_(std::make_unique<LockQueue>()),
      incident_{.tracker = IncidentTracker(~progress_->canary_loads())},
      canary_{.tracker = IncidentTracker(progress_->canary_loads()), .flag = kCanaryIncident},
      knows_queues_(!has_detector(options.thresholds.without, "cpu-queue")),
      knows_gaps_(!has_detector(options.thresholds.without, "observer-gap")) {
  findings_.leave_out(findings_of(options.thresholds.without));
}

void Watchdog::run() {
  while (!quit_) {
    tick_once();
    if (!wait_for_next_tick()) return;
  }
}

void Watchdog::tick_once() {
  const Nanos began = monotonic_now();
  look_at_gap(began);
  tick();
  update_health(began);
}

void Watchdog::look_at_gap(Nanos now) {
  WatchdogHealth& health = evidence_.area().health;
  const Nanos suspended = options_.suspended_ns();
  if (last_tick_ns_ == 0) {
    next_tick_ns_ = last_tick_ns_ = now;
    suspended_ns_ = suspended;
  }
  if (now > next_tick_ns_) raise_to(health.lag_max_ns, now - next_tick_ns_);
  const Nanos slept = suspended > suspended_ns_ + kGap ? suspended - suspended_ns_ : 0;
  const Nanos due = last_tick_ns_ + options_.tick;
  if (knows_gaps_ && (now > due + kGap || slept > 0)) {
    judge_from_ns_ = now + std::clamp(limits_.longest_stall_after(), kAfterGapMin, kAfterGapMax);
    health.gaps.fetch_add(1, std::memory_order_relaxed);
    health.gap_ns.fetch_add(now > due ? now - due : 0, std::memory_order_relaxed);
    health.suspended_ns.fetch_add(slept, std::memory_order_relaxed);
    send({.kind = WatchEventKind::gap,
          .at_ns = now,
          .since_ns = last_tick_ns_,
          .suspended_ns = slept});
  }
  last_tick_ns_ = now;
  suspended_ns_ = suspended;
}

void Watchdog::tick() {
  view_.now_ns = monotonic_now();
  view_.after_gap = view_.now_ns < judge_from_ns_;
  progress_->read(view_, evidence_.area());
  record_view();
  drain_kernel_log();
  system_.look(view_, evidence_.area(), suspicious(view_.now_ns));
  judge();
}

void Watchdog::judge() {
  findings_.clear();
  no_progress_.check(view_, findings_);
  stuck_op_.check(view_, findings_);
  if (!load_ended_) dropout_.check(view_, findings_);
  for (const auto& detector : detectors_) detector->check(view_, findings_);
  report_dropouts();
  bool opened = false;
  for (IncidentLine* const line : {&incident_, &canary_}) {
    const auto change = line->tracker.update(view_, findings_.items());
    if (change) report_change(*line, *change);
    opened = opened || change == IncidentChange::opened;
  }
  scan_if_due(opened);
}

void Watchdog::report_dropouts() {
  for (const Finding& finding : findings_.items()) {
    const bool begin = finding.kind == FindingKind::dropout_begin;
    if (!begin && finding.kind != FindingKind::dropout_end) continue;
    send({.kind = begin ? WatchEventKind::dropout_begin : WatchEventKind::dropout_end,
          .load = finding.load,
          .at_ns = begin ? view_.now_ns : finding.until_ns,
          .since_ns = finding.since_ns,
          .ratio = finding.ratio});
  }
}

void Watchdog::report_change(IncidentLine& line, IncidentChange change) {
  switch (change) {
    case IncidentChange::opened:
      line.support_told = 0;
      send(incident_event(WatchEventKind::incident_opened, line));
      return report_support(line);
    case IncidentChange::extended:
      send(incident_event(WatchEventKind::incident_extended, line));
      return report_support(line);
    case IncidentChange::resolved:
      return send(incident_event(WatchEventKind::incident_resolved, line));
  }
}

// In words, what the detectors that only support have to say; each once per incident.
void Watchdog::report_support(IncidentLine& line) {
  const Incident& incident = line.tracker.current();
  for (std::uint32_t kind = 0; kind < kFindingKinds; ++kind) {
    const Support& support = incident.support[kind];
    const std::uint32_t bit = 1U << kind;
    if (support.since_ns == 0 || support.subject[0] == '\0' || (line.support_told & bit) != 0)
      continue;
    line.support_told |= bit;
    send({.kind = WatchEventKind::supported,
          .incident = incident.number | line.flag,
          .kinds = bit,
          .at_ns = view_.now_ns,
          .since_ns = support.since_ns,
          .blocked = support.count,
          .subject = support.subject});
  }
}

WatchEvent Watchdog::incident_event(WatchEventKind kind, const IncidentLine& line) const {
  const Incident& incident = line.tracker.current();
  WatchEvent event{.kind = kind,
                   .incident = incident.number | line.flag,
                   .kinds = incident.kinds,
                   .at_ns = view_.now_ns,
                   .since_ns = incident.onset_ns,
                   .blocked = incident.blocked};
  for (std::size_t i = 0; i < kMaxLoads; ++i)
    if (incident.stalled[i]) event.stalled |= 1U << i;
  return event;
}

void Watchdog::send(const WatchEvent& event) {
  if (::send(options_.channel_fd, &event, sizeof event, MSG_DONTWAIT | MSG_NOSIGNAL) !=
      static_cast<ssize_t>(sizeof event))
    evidence_.area().health.events_dropped.fetch_add(1, std::memory_order_relaxed);
}

bool Watchdog::scan_due(Nanos now) const {
  if (now >= last_scan_ns_ + kScanEvery) return true;
  if (now < last_scan_ns_ + kScanEveryWhenSuspicious) return false;
  // Two looks before it is a stall are enough, however long that takes.
  if (!standing() && now < last_scan_ns_ + options_.thresholds.stall_after / 4) return false;
  return suspicious(now);
}

Nanos Watchdog::suspicious_after(std::size_t load) const {
  return limits_.of(load).stall_after / 8 * kSuspiciousEighths;
}

bool Watchdog::suspicious(Nanos now) const {
  for (const IncidentLine* const line : {&incident_, &canary_})
    if (line->tracker.standing() && now < line->tracker.current().detected_ns + kLookTwice)
      return true;
  if (incident_.tracker.standing()) return false;
  for (std::size_t i = 0; i < view_.load_count; ++i) {
    const LoadView& load = view_.loads[i];
    if (load.in_flight > 0 && now >= NoProgress::onset_of(load) + suspicious_after(i)) return true;
  }
  return false;
}

void Watchdog::scan_if_due(bool incident_opened) {
  if (!scanner_) return;
  const Nanos now = monotonic_now();
  if (!incident_opened && !scan_due(now)) return;
  const bool full = standing() || something_stands(now);
  scan(now, full ? KernelScan::Depth::full : KernelScan::Depth::quick);
}

// Some op is in flight for a good part of stall-after, whatever the others of its load do.
bool Watchdog::something_stands(Nanos now) const {
  for (std::size_t i = 0; i < view_.load_count; ++i) {
    const LoadView& load = view_.loads[i];
    if (load.in_flight > 0 && now >= load.oldest_op_started_ns + suspicious_after(i)) return true;
  }
  return false;
}

// Tells the scan of processes that the controller has named or given up since.
void Watchdog::watch_processes() {
  if (!progress_->own_load()) return;
  EvidenceArea& area = evidence_.area();
  for (std::size_t i = 0; i < kWatchedMax; ++i) {
    const std::int32_t pid = area.watched[i].tgid.load(std::memory_order_relaxed);
    if (pid == watched_[i]) continue;
    if (watched_[i] != 0) std::ignore = scanner_->unwatch(watched_[i]);
    watched_[i] = pid;
    if (pid != 0 && !scanner_->watch(pid))
      area.health.scan_failures.fetch_add(1, std::memory_order_relaxed);
  }
}

void Watchdog::scan(Nanos now, KernelScan::Depth depth) {
  EvidenceArea& area = evidence_.area();
  watch_processes();
  ScanSlot& slot = area.scans[scan_sequence_ % kScanSlots];
  slot.sequence.store(0, std::memory_order_release);
  last_scan_ns_ = now;
  const auto result = scanner_->scan(slot.bytes, depth);
  raise_to(area.health.scan_max_ns, monotonic_now() - now);
  area.health.scans.fetch_add(1, std::memory_order_relaxed);
  if (!result) {
    area.health.scan_failures.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  slot.taken_ns = now;
  slot.size = *result;
  slot.truncated = scanner_->truncated() ? 1 : 0;
  slot.sequence.store(++scan_sequence_, std::memory_order_release);
  if (slot.truncated != 0) area.health.scans_truncated.fetch_add(1, std::memory_order_relaxed);
  if (depth == KernelScan::Depth::full) {
    system_.take_scan({slot.bytes.data(), slot.size}, area);
    if (knows_queues_) feed_cpu_queue(slot);
  }
  if (progress_->own_load()) feed_blocked_tasks(slot);
  count_lock_queue(slot);
  send({.kind = WatchEventKind::scan_taken,
        .incident = incident_.tracker.standing() ? incident_.tracker.current().number : 0,
        .at_ns = now,
        .scan = scan_sequence_});
}

void Watchdog::record_view() {
  EvidenceArea& area = evidence_.area();
  const std::uint64_t row = area.view_count.load(std::memory_order_relaxed);
  ViewRow& into = area.views[row % kViewRows];
  into.at_ns = view_.now_ns;
  for (std::size_t i = 0; i < view_.load_count; ++i) {
    into.ops[i] = view_.loads[i].ops;
    into.in_flight[i] = view_.loads[i].in_flight;
    into.oldest_started_ns[i] = view_.loads[i].oldest_op_started_ns;
  }
  area.view_count.store(row + 1, std::memory_order_release);
}

void Watchdog::update_health(Nanos began) {
  WatchdogHealth& health = evidence_.area().health;
  const Nanos now = monotonic_now();
  raise_to(health.tick_max_ns, now - began);
  if (standing()) raise_to(health.tick_max_in_stall_ns, now - began);
  health.ticks.fetch_add(1, std::memory_order_relaxed);
  health.findings_dropped.store(findings_.overflow(), std::memory_order_relaxed);
  health.blocked_tasks.store(view_.blocked.blocked, std::memory_order_relaxed);
  health.blocked_killable.store(view_.blocked.killable, std::memory_order_relaxed);
  health.asleep_in_calls.store(view_.blocked.asleep, std::memory_order_relaxed);
  note_cpu();
  health.heartbeat_ns.store(now, std::memory_order_release);
}

void Watchdog::note_cpu() {
  evidence_.area().health.cpu_ns.store(process_cpu_now(), std::memory_order_relaxed);
}

bool Watchdog::wait_for_next_tick() {
  const Nanos now = monotonic_now();
  next_tick_ns_ = std::max(next_tick_ns_ + options_.tick, now);
  // Not a tick later than a stall can be known: wake when the oldest op comes of age.
  if (!standing()) next_tick_ns_ = std::min(next_tick_ns_, no_progress_.next_due_ns(view_));
  while (!quit_) {
    const Nanos at = monotonic_now();
    const Nanos left = next_tick_ns_ > at ? next_tick_ns_ - at : 0;
    const timespec wait{static_cast<time_t>(left / kSecond), static_cast<long>(left % kSecond)};
    pollfd channel{options_.channel_fd, POLLIN, 0};
    const int ready = ::ppoll(&channel, 1, &wait, nullptr);
    if (ready == 0) return true;
    if (ready < 0) continue;
    WatchCommand command{};
    const ssize_t n = ::recv(options_.channel_fd, &command, sizeof command, MSG_DONTWAIT);
    if (n == 0) return false;  // the controller is gone
    if (n == static_cast<ssize_t>(sizeof command)) obey(command);
  }
  return false;
}

void Watchdog::obey(WatchCommand command) {
  switch (command) {
    case WatchCommand::quit:
      quit_ = true;
      return;
    case WatchCommand::end_load:
      load_ended_ = true;
      findings_.clear();
      dropout_.close_all(monotonic_now(), findings_);
      report_dropouts();
      for (IncidentLine* const line : {&incident_, &canary_}) line->tracker.end_load();
      return;
  }
}

}  // namespace stallproof
