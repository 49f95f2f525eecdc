// SPDX-License-Identifier: Apache-2.0
#include "harness/run/blocked_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "harness/detect/blocked_tasks.h"
#include "harness/probe/scan_walk.h"

namespace stallproof {
namespace {

std::string name_of(std::uint64_t address, const KernelSymbols& symbols) {
  const auto symbol = symbols.find(address - 1);
  if (!symbol) return fmt::format("{:#x}", address);
  std::string name(symbol->function);
  if (!symbol->module.empty()) name += fmt::format(" [{}]", symbol->module);
  return name;
}

}  // namespace

void BlockedHistory::take(Nanos taken_ns, std::span<const std::byte> scan) {
  Entry entry{.at_ns = taken_ns};
  for_each_task(scan, [&entry](const ScanTask& task) {
    if ((task.why & SCAN_WHY_BLOCKED) == 0) return;
    if (entry.tasks.size() == kMaxTasks) {
      ++entry.more;
      return;
    }
    const auto end = std::find(std::begin(task.frames), std::end(task.frames), 0U);
    entry.tasks.push_back({.tid = task.tid,
                           .tgid = task.tgid,
                           .stack = stack_hash(task),
                           .comm = {task.comm, ::strnlen(task.comm, sizeof task.comm)},
                           .frames = {std::begin(task.frames), end}});
  });
  while (!entries_.empty() && entries_.front().at_ns + 2 * kSpan < taken_ns) entries_.pop_front();
  const bool changed = entries_.empty() || entries_.back().tasks != entry.tasks ||
                       entries_.back().more != entry.more;
  if (changed) entries_.push_back(std::move(entry));
}

std::string BlockedHistory::text(const KernelSymbols& symbols, Nanos until) const {
  std::string text;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->at_ns > until) break;
    // What was so when the minute began has been so since before.
    const auto next = std::next(entry);
    const bool over = next != entries_.end() && next->at_ns + kSpan <= until;
    if (over) continue;
    text += fmt::format("-{:.3f} s: {} blocked\n", static_cast<double>(until - entry->at_ns) / 1e9,
                        entry->tasks.size() + entry->more);
    for (const Task& task : entry->tasks) {
      text += fmt::format("  {} {} (process {}):", task.comm, task.tid, task.tgid);
      const char* between = " ";
      for (const std::uint64_t frame : task.frames) {
        text += between + name_of(frame, symbols);
        between = " < ";
      }
      text += '\n';
    }
    if (entry->more > 0) text += fmt::format("  and {} more\n", entry->more);
  }
  return text;
}

}  // namespace stallproof
