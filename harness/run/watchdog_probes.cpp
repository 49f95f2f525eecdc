// SPDX-License-Identifier: Apache-2.0
// The watchdog's sight of the kernel: opening it before load starts, using it in the loop.
#include <fmt/format.h>

#include <cstring>

#include "harness/probe/scan_walk.h"
#include "harness/run/self_protection.h"
#include "harness/run/watchdog.h"

namespace stallproof {
namespace {

// Of watched threads that only sleep, so many are in a scan; those that are blocked all are.
constexpr std::uint32_t kPlainThreads = 1024;

void tell_problem(std::array<char, 256>& into, const std::string& problem) {
  const std::size_t length = std::min(problem.size(), into.size() - 1);
  std::memcpy(into.data(), problem.data(), length);
  into[length] = '\0';
}

void append_bytes(EvidenceArea& area, std::string_view bytes) {
  std::uint64_t at = area.kmsg_written.load(std::memory_order_relaxed);
  for (const char byte : bytes) area.kmsg[at++ % kKmsgBytes] = byte;
  area.kmsg_written.store(at, std::memory_order_release);
}

// As dmesg shows it: "[  123.456789] text". What a process wrote there is marked: it proves
// nothing.
void append_line(EvidenceArea& area, const KmsgRecord& record) {
  std::array<char, 64> prefix;
  const auto end =
      fmt::format_to_n(prefix.data(), prefix.size(), "[{:5}.{:06}] {}", record.stamp_ns / kSecond,
                       record.stamp_ns % kSecond / 1000, record.kernel ? "" : "(user) ");
  append_bytes(area, {prefix.data(), std::min(end.size, prefix.size())});
  append_bytes(area, record.text());
  append_bytes(area, "\n");
}

}  // namespace

void Watchdog::open_probes() {
  EvidenceArea& area = evidence_.area();
  if (auto scanner = KernelScan::open({.plain_limit = kPlainThreads})) {
    tell_problem(area.fuse_problem, scanner->fuse_problem());
    scanner_ = std::move(*scanner);
  } else {
    tell_problem(area.scan_problem, scanner.error().what);
    tell_problem(area.fuse_problem, scanner.error().what);
  }
  if (auto log = KmsgReader::open())
    kernel_log_ = std::move(*log);
  else
    tell_problem(area.kmsg_problem, log.error().what);
  progress_->open(area);
  system_.open(area);
  quiet_.open();
  // One scan now faults in everything that later ones use.
  for (ScanSlot& slot : area.scans) std::memset(slot.bytes.data(), 0, slot.bytes.size());
  if (scanner_) scan(monotonic_now(), KernelScan::Depth::full);
}

void Watchdog::protect() {
  tell_problem(evidence_.area().protection_problem, protect_this_process());
  // What it used so far is the price of a start, not of watching: the first reader may come before
  // the first tick.
  note_cpu();
}

void Watchdog::drain_kernel_log() {
  if (!kernel_log_) return;
  EvidenceArea& area = evidence_.area();
  const std::size_t count = kernel_log_->drain(kmsg_, kKmsgPerTick);
  for (std::size_t i = 0; i < count; ++i) {
    append_line(area, kmsg_[i]);
    system_.take_line(kmsg_[i], view_, area);
  }
  kmsg_.clear();
  area.health.kmsg_records.fetch_add(count, std::memory_order_relaxed);
  area.health.kmsg_lost.store(kernel_log_->lost() + kernel_log_->unreadable(),
                              std::memory_order_relaxed);
}

void Watchdog::feed_blocked_tasks(const ScanSlot& slot) {
  blocked_table_->begin_scan(slot.taken_ns);
  for_each_task({slot.bytes.data(), slot.size}, [this](const ScanTask& task) {
    if (const BlockedState state = blocked_state(task, quiet_); state != BlockedState::none)
      blocked_table_->saw(static_cast<std::uint32_t>(task.tid), task.switches, stack_hash(task),
                          state);
  });
  view_.blocked = blocked_table_->finish_scan(options_.thresholds.stall_after);
}

void Watchdog::feed_cpu_queue(const ScanSlot& slot) {
  cpu_queue_->begin_scan(slot.taken_ns);
  for_each_task({slot.bytes.data(), slot.size},
                [this](const ScanTask& task) { cpu_queue_->saw(task); });
  view_.queued = cpu_queue_->finish_scan();
}

void Watchdog::count_lock_queue(const ScanSlot& slot) {
  const auto count = lock_queue_->count({slot.bytes.data(), slot.size}, slot.taken_ns);
  LockQueueRow& row = evidence_.area().mmap_lock;
  row.read_waiters.store(count.readers, std::memory_order_relaxed);
  row.write_waiters.store(count.writers, std::memory_order_relaxed);
  row.oldest_since_ns.store(count.oldest_since_ns, std::memory_order_relaxed);
}

}  // namespace stallproof
