// SPDX-License-Identifier: Apache-2.0
#include "harness/run/system_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>

#include "harness/detect/kernel_reports.h"
#include "harness/detect/subject.h"
#include "harness/probe/scan_walk.h"

namespace stallproof {
namespace {

constexpr Nanos kEvery = kSecond;
constexpr Nanos kEarly = 50 * kMillisecond;  // ticks jitter
static_assert(kKernelEvents <= kKmsgKinds);

// The watched process that this thread is of, 0 when it is of none. Only names below /proc: they
// are answered without a lock of the task (proc_task_lookup, fs/proc/base.c).
std::int32_t watched_process_of(std::int32_t tid, const EvidenceArea& area) {
  for (const WatchedProcess& entry : area.watched) {
    const std::int32_t tgid = entry.tgid.load(std::memory_order_relaxed);
    if (tgid == 0) continue;
    std::array<char, 64> path;
    *fmt::format_to_n(path.data(), path.size() - 1, "/proc/{}/task/{}", tgid, tid).out = '\0';
    if (::access(path.data(), F_OK) == 0) return tgid;
  }
  return 0;
}

std::optional<std::uint32_t> load_of(std::int32_t tgid, const EvidenceArea& area) {
  for (std::uint32_t i = 0; i < kMaxLoads; ++i)
    if (tgid > 0 && area.targets[i].tgid.load(std::memory_order_acquire) == tgid) return i;
  return std::nullopt;
}

}  // namespace

void SystemWatch::open(EvidenceArea& area) {
  sampler_.open(area);
  if (auto trace = HungTaskTrace::open()) hung_tasks_ = std::move(*trace);
  SystemRow row;
  sampler_.sample(monotonic_now(), area, row);
  hung_before_ = row.hung_tasks;
}

void SystemWatch::look(SystemView& view, EvidenceArea& area, bool at_once) {
  view.names = &area;
  if (at_once || view.now_ns + kEarly >= last_ns_ + kEvery) {
    view.system.fuse_waiting = waiting_;
    sampler_.sample(view.now_ns, area, view.system);
    last_ns_ = view.now_ns;
    const std::uint64_t count = area.system_count.load(std::memory_order_relaxed);
    area.system_rows[count % kSystemRows] = view.system;
    area.system_count.store(count + 1, std::memory_order_release);
  }
  note_hung_tasks(view, area);
}

void SystemWatch::take_scan(std::span<const std::byte> scan, const EvidenceArea& area) {
  waiting_.fill(0);
  for_each_record<ScanConnection>(scan, SCAN_CONNECTION, [&](const ScanConnection& connection) {
    for (std::size_t i = 0; i < kSystemFuse; ++i)
      if (area.watched_fuse[i].load(std::memory_order_relaxed) == connection.number)
        waiting_[i] = connection.waiting;
  });
}

void SystemWatch::note_hung_tasks(SystemView& view, const EvidenceArea& area) {
  if (hung_tasks_) {
    while (const auto report = hung_tasks_->next())
      note_hung_task(report->tid, report->tgid, report->comm, view, area);
    return;
  }
  if (view.system.hung_tasks <= hung_before_) return;
  // The kernel counts them and does not say who they are.
  view.hung_task.at_ns = view.now_ns;
  view.hung_task.count += static_cast<std::uint32_t>(view.system.hung_tasks - hung_before_);
  say(view.hung_task.subject, "{} tasks", view.hung_task.count);
  hung_before_ = view.system.hung_tasks;
}

void SystemWatch::note_hung_task(std::int32_t tid, std::int32_t tgid, std::string_view comm,
                                 SystemView& view, const EvidenceArea& area) const {
  KernelReport& report = view.hung_task;
  const auto load = own_load_ ? std::nullopt : load_of(tgid, area);
  // The one that is an incident by itself is not hidden by others of the same moment.
  if (report.at_ns == view.now_ns && report.of_load && !load) return;
  report.at_ns = view.now_ns;
  ++report.count;
  report.tid = static_cast<std::uint32_t>(tid);
  report.of_load = load.has_value();
  report.load = load.value_or(0);
  say(report.subject, "{} {}", comm, tid);
}

void SystemWatch::take_line(const KmsgRecord& record, SystemView& view, EvidenceArea& area) {
  if (!record.kernel) return;  // anybody can write one
  const std::string_view text = record.text();
  if (const auto event = kernel_event(text))
    area.health.kmsg_events[static_cast<std::size_t>(*event)].fetch_add(1,
                                                                        std::memory_order_relaxed);
  switch (classify_kernel_line(text)) {
    case KernelLine::nothing:
      return;
    case KernelLine::hung_task: {
      if (hung_tasks_) return;  // known already, with its process
      const auto tid = hung_task_of_line(text);
      if (!tid) return;
      const auto number = static_cast<std::int32_t>(*tid);
      return note_hung_task(number, own_load_ ? 0 : watched_process_of(number, area), "task", view,
                            area);
    }
    case KernelLine::trouble:
      view.kernel_log.at_ns = view.now_ns;
      ++view.kernel_log.count;
      say(view.kernel_log.subject, "{}", text);
      return;
  }
}

}  // namespace stallproof
