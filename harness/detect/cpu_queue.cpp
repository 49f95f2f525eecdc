// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/cpu_queue.h"

#include <algorithm>

namespace stallproof {
namespace {

constexpr std::uint32_t kConcerned = SCAN_WHY_WATCHED | SCAN_WHY_SERVER | SCAN_WHY_OWNER;
constexpr std::uint32_t kReady = 0;  // task_struct.__state: TASK_RUNNING

std::uint64_t grown(std::uint64_t now, std::uint64_t before) {
  return now > before ? now - before : 0;
}

}  // namespace

void CpuQueue::begin_scan(Nanos taken_ns) { view_ = {.scanned_ns = taken_ns}; }

bool CpuQueue::mostly_waited(const Entry& before, const ScanTask& task) const {
  const Nanos span = grown(view_.scanned_ns, before.taken_ns);
  if (span < kShortest || span > kLongest) return false;
  const Nanos not_run = span - std::min(span, grown(task.ran_ns, before.ran_ns));
  const bool awake = task.state == kReady && task.voluntary == before.voluntary;
  const Nanos waited = awake ? not_run : std::min(not_run, grown(task.delay_ns, before.delay_ns));
  return waited >= span / 2;
}

void CpuQueue::saw(const ScanTask& task) {
  if ((task.why & kConcerned) == 0 || (task.facts & SCAN_FACT_THROTTLED) != 0) return;
  Entry& entry = entries_[static_cast<std::uint32_t>(task.tid) % entries_.size()];
  if (entry.tid == task.tid && mostly_waited(entry, task)) ++view_.waiting;
  entry = {.tid = task.tid,
           .taken_ns = view_.scanned_ns,
           .voluntary = task.voluntary,
           .ran_ns = task.ran_ns,
           .delay_ns = task.delay_ns};
}

}  // namespace stallproof
