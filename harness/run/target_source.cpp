// SPDX-License-Identifier: Apache-2.0
#include "harness/run/target_source.h"

#include <algorithm>
#include <cstring>

namespace stallproof {
namespace {

// A look at thousands of threads takes longer than a tick is worth: at most this part of one
// processor, and more only while something may be standing or a stall could come of age unseen.
constexpr Nanos kShareOfCpu = 120;
constexpr Nanos kShareWhenSuspicious = 20;

bool something_may_stand(const SystemView& view, Nanos stall_after) {
  for (std::size_t i = 0; i < view.load_count; ++i) {
    const LoadView& load = view.loads[i];
    if (load.in_flight > 0 && view.now_ns >= load.oldest_op_started_ns + stall_after / 4)
      return true;
    if (load.last_done_ns != 0 && view.now_ns >= load.last_done_ns + stall_after / 4) return true;
  }
  return false;
}

void tell(std::array<char, 256>& into, const std::string& problem) {
  const std::size_t length = std::min(problem.size(), into.size() - 1);
  std::memcpy(into.data(), problem.data(), length);
  into[length] = '\0';
}

}  // namespace

void TargetSource::open(EvidenceArea& area) {
  if (auto scan = TargetScan::open()) {
    scan_ = std::move(*scan);
    return;
  } else {
    tell(area.target_problem, scan.error().what);
  }
  if (auto proc = TargetProc::open()) proc_ = std::move(*proc);
}

// A few of them, for a few seconds of a run.
void TargetSource::follow_canary(const EvidenceArea& area) {
  std::array<std::int32_t, kCanaryProcesses> tgids{};
  std::size_t count = 0;
  for (const WatchedProcess& entry : area.watched) {
    // In this order: whose a process is was said before its number.
    const std::int32_t tgid = entry.tgid.load(std::memory_order_acquire);
    if (tgid != 0 && count < tgids.size() && entry.canary.load(std::memory_order_relaxed) != 0)
      tgids[count++] = tgid;
  }
  progress_.set_canary({tgids.data(), count});
}

void TargetSource::follow_processes(EvidenceArea& area) {
  for (std::size_t i = 0; i < kWatchedMax; ++i) {
    const std::int32_t tgid = area.watched[i].tgid.load(std::memory_order_acquire);
    if (tgid != watched_[i]) {
      if (watched_[i] != 0 && scan_) scan_->unwatch(watched_[i]).map_error([](int) {});
      if (watched_[i] != 0 && proc_) proc_->unwatch(watched_[i]);
      watched_[i] = tgid;
      const bool known =
          tgid == 0 || (scan_ && scan_->watch(tgid)) || (proc_ && proc_->watch(tgid));
      if (!known) area.health.scan_failures.fetch_add(1, std::memory_order_relaxed);
    }
    const Nanos seen = area.watched[i].seen_ns.load(std::memory_order_acquire);
    if (tgid != 0 && proc_ && seen != 0)
      proc_->set_calls(tgid, area.watched[i].reads.load(std::memory_order_relaxed), seen);
  }
}

std::span<const ThreadSample> TargetSource::sample(EvidenceArea& area) {
  if (proc_) return proc_->sample();
  if (!scan_) return {};
  const auto samples = scan_->sample();
  if (!samples) area.health.scan_failures.fetch_add(1, std::memory_order_relaxed);
  if (scan_->truncated()) area.health.scans_truncated.fetch_add(1, std::memory_order_relaxed);
  return samples ? *samples : std::span<const ThreadSample>{};
}

void TargetSource::read(SystemView& view, EvidenceArea& area) {
  follow_processes(area);
  if (canary_) follow_canary(area);  // after: nobody is watched before it is known whose he is
  if (view.now_ns < next_sample_ns_) return;  // the view of before stands
  const auto samples = sample(area);
  progress_.update(samples, view);
  publish(area);
  const Nanos took = monotonic_now() - view.now_ns;
  const Nanos close = kShareWhenSuspicious * took;
  const Nanos wide = std::max(close, std::min(kShareOfCpu * took, stall_after_ / 4 * 3));
  next_sample_ns_ = view.now_ns + (something_may_stand(view, stall_after_) ? close : wide);
  if (took > area.target_sample_max_ns.load(std::memory_order_relaxed))
    area.target_sample_max_ns.store(took, std::memory_order_relaxed);
}

void TargetSource::publish(EvidenceArea& area) const {
  const auto loads = progress_.loads();
  for (std::size_t i = 0; i < loads.size(); ++i) {
    TargetRow& row = area.targets[i];
    row.comm = loads[i].comm;
    row.threads.store(loads[i].threads, std::memory_order_relaxed);
    row.io_threads.store(loads[i].io_threads, std::memory_order_relaxed);
    row.suspected_since_ns.store(loads[i].suspected_since_ns, std::memory_order_relaxed);
    row.blocked_since_ns.store(loads[i].blocked_since_ns, std::memory_order_relaxed);
    row.last_done_ns.store(loads[i].last_done_ns, std::memory_order_relaxed);
    row.tgid.store(loads[i].tgid, std::memory_order_release);
  }
}

}  // namespace stallproof
