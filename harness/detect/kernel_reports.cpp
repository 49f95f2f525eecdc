// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/kernel_reports.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "harness/detect/detector_table.h"

namespace stallproof {
namespace {

// kernel/watchdog.c, kernel/rcu/tree_stall.h, kernel/workqueue.c, block/blk-core.c and the file
// systems' own words for a failed I/O. Two pieces: both must be there, in that order.
struct Words {
  KernelEvent event;
  std::string_view first;
  std::string_view then;
};
constexpr std::array kTrouble{
    Words{KernelEvent::lockup, "BUG: soft lockup", ""},
    Words{KernelEvent::lockup, "hard LOCKUP on cpu", ""},
    Words{KernelEvent::lockup, "Hard LOCKUP", ""},
    Words{KernelEvent::rcu_stall, "rcu", "self-detected stall on CPU"},
    Words{KernelEvent::rcu_stall, "rcu", "detected stall"},
    Words{KernelEvent::rcu_stall, "rcu", "detected expedited stalls"},
    Words{KernelEvent::workqueue, "BUG: workqueue lockup", ""},
    Words{KernelEvent::io_error, "Buffer I/O error on dev", ""},
    // blk_print_req_error, 4.x and later; end_request, 3.10.
    Words{KernelEvent::io_error, "I/O error", ", dev "},
    Words{KernelEvent::io_error, "end_request: ", " error, dev "},
    Words{KernelEvent::fs_error, "EXT4-fs error", ""},
    Words{KernelEvent::fs_error, "XFS (", "I/O error"},
    Words{KernelEvent::fs_error, "Remounting filesystem read-only", ""},
    Words{KernelEvent::no_answer, "nfs: server ", "not responding"},
    Words{KernelEvent::no_answer, "timeout, aborting", ""},
};
// In the order of KernelEvent.
constexpr std::array<std::string_view, kKernelEvents> kEventNames{
    "hung_task", "lockup", "rcu_stall", "workqueue", "io_error", "fs_error", "no_answer"};
constexpr std::array<std::string_view, 2> kHung{" blocked for more than ",
                                                " blocked in I/O wait for more than "};

bool has(std::string_view line, const Words& words) {
  const std::size_t at = line.find(words.first);
  return at != std::string_view::npos &&
         line.find(words.then, at + words.first.size()) != std::string_view::npos;
}

std::size_t hung_words_at(std::string_view line) {
  if (line.find("INFO: task ") == std::string_view::npos) return std::string_view::npos;
  for (const std::string_view words : kHung)
    if (const std::size_t at = line.find(words); at != std::string_view::npos) return at;
  return std::string_view::npos;
}

void report(FindingKind kind, const KernelReport& seen, const SystemView& view, FindingList& out) {
  if (seen.at_ns == 0 || view.now_ns > seen.at_ns + kReportCounts) return;
  out.add({.kind = kind,
           .load = seen.load,
           .tid = seen.tid,
           .count = seen.count,
           .since_ns = seen.at_ns,
           .opens = seen.of_load && seen.at_ns == view.now_ns && !view.after_gap,
           .subject = seen.subject});
}

}  // namespace

void HungTasks::check(const SystemView& view, FindingList& out) {
  report(FindingKind::hung_task, view.hung_task, view, out);
}

void KernelLog::check(const SystemView& view, FindingList& out) {
  report(FindingKind::kernel_log, view.kernel_log, view, out);
}

std::string_view kernel_event_name(KernelEvent event) {
  return kEventNames[static_cast<std::size_t>(event)];
}

std::optional<KernelEvent> kernel_event(std::string_view line) {
  if (hung_words_at(line) != std::string_view::npos) return KernelEvent::hung_task;
  const auto* const found = std::find_if(kTrouble.begin(), kTrouble.end(),
                                         [line](const Words& words) { return has(line, words); });
  if (found == kTrouble.end()) return std::nullopt;
  return found->event;
}

KernelLine classify_kernel_line(std::string_view line) {
  const auto event = kernel_event(line);
  if (!event) return KernelLine::nothing;
  return *event == KernelEvent::hung_task ? KernelLine::hung_task : KernelLine::trouble;
}

std::optional<std::uint32_t> hung_task_of_line(std::string_view line) {
  const std::size_t end = hung_words_at(line);
  if (end == std::string_view::npos) return std::nullopt;
  const std::size_t colon = line.rfind(':', end);
  if (colon == std::string_view::npos) return std::nullopt;
  std::uint32_t tid = 0;
  const auto [stop, error] = std::from_chars(line.data() + colon + 1, line.data() + end, tid);
  if (error != std::errc{} || stop != line.data() + end || tid == 0) return std::nullopt;
  return tid;
}

std::unique_ptr<Detector> make_hung_task(const Thresholds&) {
  return std::make_unique<HungTasks>();
}

std::unique_ptr<Detector> make_kernel_log(const Thresholds&) {
  return std::make_unique<KernelLog>();
}

}  // namespace stallproof
