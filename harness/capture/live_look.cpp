// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/live_look.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "harness/probe/decode_scan.h"
#include "harness/probe/kernel_scan.h"
#include "harness/probe/kernel_symbols.h"
#include "harness/probe/probe_child.h"
#include "harness/probe/proc_lens.h"
#include "harness/probe/wait_surroundings.h"

namespace stallproof {
namespace {

constexpr std::size_t kScanBuffer = 32U << 20U;
constexpr int kBetweenLooksMs = 300;

Result<std::vector<std::byte>> scan_once(KernelScan& scanner) {
  std::vector<std::byte> bytes(kScanBuffer);
  const auto size = scanner.scan(bytes);
  if (!size) return fail_errno("read of the BPF iterator", size.error(), {}, Origin::infra);
  bytes.resize(*size);
  return bytes;
}

Result<LiveLook> look_by_bpf(const std::vector<pid_t>& processes) {
  auto scanner = KernelScan::open();
  if (!scanner) return Failure(scanner.error());
  for (const pid_t pid : processes)
    if (const auto watched = scanner->watch(pid); !watched && watched.error() != E2BIG)
      return fail_errno("watch a process by BPF", watched.error(), {}, Origin::infra);
  const auto symbols = KernelSymbols::load();
  const DeviceLook devices_before = look_at_devices();
  const auto before = scan_once(*scanner);
  if (!before) return Failure(before.error());
  ::poll(nullptr, 0, kBetweenLooksMs);
  const auto now = scan_once(*scanner);
  if (!now) return Failure(now.error());
  const DeviceLook devices_now = look_at_devices();
  const ScanBefore earlier{.bytes = *before};
  const KernelSymbols none;
  LiveLook look{.snapshot = decode_scan(*now, &earlier, symbols ? *symbols : none),
                .lens = "bpf",
                .complete = symbols.has_value() && scan_is_whole(*now)};
  add_surroundings(look.snapshot, devices_before, devices_now);
  if (!symbols) look.snapshot.blind_spots.push_back("no function names: " + symbols.error().what);
  if (!scanner->fuse_problem().empty())
    look.snapshot.blind_spots.push_back("FUSE: " + scanner->fuse_problem());
  return look;
}

// The holder of a lock may sleep interruptibly (a fault that waits for FUSE does): of every process
// with a blocked task all threads are looked at.
std::vector<pid_t> with_blocked(const LockSnapshot& snapshot, std::vector<pid_t> processes) {
  for (const TaskRow& task : snapshot.tasks)
    if (task.tgid > 0 &&
        std::find(processes.begin(), processes.end(), task.tgid) == processes.end())
      processes.push_back(task.tgid);
  return processes;
}

Result<LiveLook> tasks_by_proc(const std::vector<pid_t>& processes, const Deadline& deadline,
                               Nanos limit) {
  auto probe = ProbeChild::start();
  if (!probe) return Failure(probe.error());
  auto snapshot = read_proc_lens({.probe = &*probe, .limit = limit / 2});
  if (!snapshot) return Failure(snapshot.error());
  LiveLook look{.snapshot = std::move(*snapshot), .lens = "proc"};
  const auto wanted = with_blocked(look.snapshot, processes);
  if (wanted.empty() || deadline.passed()) return look;
  auto threads =
      read_proc_lens({.tgids = wanted, .probe = &*probe, .limit = deadline.at() - monotonic_now()});
  if (!threads) return look;
  for (TaskRow& task : threads->tasks)
    if (std::none_of(look.snapshot.tasks.begin(), look.snapshot.tasks.end(),
                     [&task](const TaskRow& known) { return known.tid == task.tid; }))
      look.snapshot.tasks.push_back(std::move(task));
  return look;
}

Result<LiveLook> look_by_proc(const std::vector<pid_t>& processes, Nanos limit) {
  const Deadline deadline = Deadline::in(limit);
  const DeviceLook devices_before = look_at_devices();
  auto look = tasks_by_proc(processes, deadline, limit);
  if (!look) return look;
  const Nanos gone = monotonic_now() - devices_before.taken_ns;
  if (gone < kScanGap && !deadline.passed())
    ::poll(nullptr, 0, static_cast<int>((kScanGap - gone) / kMillisecond) + 1);
  add_surroundings(look->snapshot, devices_before, look_at_devices());
  return look;
}

}  // namespace

Result<LiveLook> look_at_this_machine(const std::vector<pid_t>& processes, Nanos limit) {
  auto look = look_by_bpf(processes);
  if (look) return look;
  auto other = look_by_proc(processes, limit);
  if (other) other->problem = look.error().what;
  return other;
}

}  // namespace stallproof
