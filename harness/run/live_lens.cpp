// SPDX-License-Identifier: Apache-2.0
#include "harness/run/live_lens.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "harness/explain/explain.h"
#include "harness/explain/snapshot_scope.h"
#include "harness/probe/decode_scan.h"
#include "harness/probe/proc_lens.h"
#include "harness/probe/wait_surroundings.h"

namespace stallproof {

Result<LiveLens> LiveLens::open(const std::vector<std::string>& fs_files, DetectorSet without) {
  LiveLens lens;
  lens.without_ = without;
  auto knowledge = load_fs_knowledge(fs_files);
  if (!knowledge) return Failure(knowledge.error());
  lens.knowledge_ = std::move(*knowledge);
  auto symbols = KernelSymbols::load();
  if (symbols)
    lens.symbols_ = std::move(*symbols);
  else
    lens.symbols_problem_ = symbols.error().what;
  return lens;
}

bool LiveLens::keep_scan(const Evidence& evidence, std::uint64_t sequence) {
  const ScanSlot& slot = evidence.area().scans[(sequence - 1) % kScanSlots];
  if (slot.sequence.load(std::memory_order_acquire) != sequence) return false;
  KeptScan scan{.sequence = sequence, .taken_ns = slot.taken_ns};
  const std::size_t size = std::min<std::size_t>(slot.size, slot.bytes.size());
  scan.bytes.assign(slot.bytes.begin(), slot.bytes.begin() + static_cast<std::ptrdiff_t>(size));
  std::atomic_thread_fence(std::memory_order_acquire);
  if (slot.sequence.load(std::memory_order_relaxed) != sequence) return false;
  blocked_.take(scan.taken_ns, scan.bytes);
  if (is_quick_scan(scan.bytes)) return false;
  scan.devices = look_at_devices();
  if (kept_.size() == kKept) kept_.erase(kept_.begin());
  kept_.push_back(std::move(scan));
  return true;
}

std::optional<LockSnapshot> LiveLens::snapshot(const std::vector<pid_t>& processes) const {
  if (kept_.empty()) return std::nullopt;
  const KeptScan& now = kept_.back();
  std::optional<ScanBefore> before;
  const DeviceLook* devices_before = &now.devices;
  for (const KeptScan& scan : kept_) {
    if (scan.taken_ns + kScanGap > now.taken_ns) continue;
    before = ScanBefore{.bytes = scan.bytes};
    devices_before = &scan.devices;
  }
  const KernelSymbols none;
  LockSnapshot snapshot =
      decode_scan(now.bytes, before ? &*before : nullptr, symbols_ ? *symbols_ : none);
  if (!symbols_) snapshot.blind_spots.push_back("no function names: " + symbols_problem_);
  add_surroundings(snapshot, *devices_before, now.devices);
  keep_only_processes(snapshot, with_those_waited_for(snapshot, processes));
  return snapshot;
}

std::string LiveLens::blocked_before(Nanos until) const {
  const KernelSymbols none;
  return blocked_.text(symbols_ ? *symbols_ : none, until);
}

Result<LockSnapshot> LiveLens::snapshot_by_proc(const std::vector<pid_t>& processes, Nanos limit,
                                                Others others) {
  const Deadline deadline = Deadline::in(limit);
  auto snapshot = read_proc_lens({.tgids = processes, .probe = probe(), .limit = limit});
  if (!snapshot || others == Others::none || processes.empty() || deadline.passed())
    return snapshot;
  auto blocked = read_proc_lens({.probe = probe(), .limit = deadline.at() - monotonic_now()});
  if (!blocked) return snapshot;
  for (TaskRow& task : blocked->tasks)
    if (std::none_of(snapshot->tasks.begin(), snapshot->tasks.end(),
                     [&task](const TaskRow& known) { return known.tid == task.tid; }))
      snapshot->tasks.push_back(std::move(task));
  snapshot->blind_spots.emplace_back(
      "which of the other blocked tasks these wait for: without BPF all of them are shown");
  return snapshot;
}

ProbeChild* LiveLens::probe() {
  // Started only now that it is needed: a child, so that a read that hangs hangs there.
  if (!probe_) {
    auto probe = ProbeChild::start();
    if (probe) probe_ = std::make_unique<ProbeChild>(std::move(*probe));
  }
  return probe_.get();
}

bool LiveLens::sees_stacks(pid_t sleeper) {
  ProbeChild* const reader = probe();
  for (int attempt = 0; reader != nullptr && attempt < 5; ++attempt) {
    const auto stack = reader->read(fmt::format("/proc/{}/stack", sleeper), Deadline::in(kSecond));
    if (!stack) return false;
    if (!stack->empty()) return true;
    ::poll(nullptr, 0, 3);
  }
  return false;
}

Explanation LiveLens::explain_snapshot(const LockSnapshot& snapshot) const {
  return explain(snapshot, knowledge_, without_);
}

std::uint64_t LiveLens::probe_timeouts() const { return probe_ ? probe_->timeouts() : 0; }

std::map<std::string, std::uint64_t> LiveLens::probe_timeouts_by_file() const {
  return probe_ ? probe_->timeouts_by_file() : std::map<std::string, std::uint64_t>{};
}

std::size_t LiveLens::stuck_probes() const { return probe_ ? probe_->stuck() : 0; }

}  // namespace stallproof
