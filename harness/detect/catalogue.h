// SPDX-License-Identifier: Apache-2.0
// Every detector, for help and documentation, and sets of them. A new detector is one file and one
// line in SP_DETECTORS.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stallproof {

// ROW(KIND, NAME, SUMMARY): the detectors that the watchdog makes by this table and asks in every
// tick. FindingKind::KIND is what one reports; make_KIND() is defined in its file.
#define SP_DETECTORS(ROW)                                                                       \
  ROW(blocked_tasks, "blocked-tasks",                                                           \
      "watched tasks in D that have not run for stall-after (supports a stall)")                \
  ROW(hung_task, "hung-task",                                                                   \
      "the kernel's own detector reports a task (supports a stall; an incident by itself only " \
      "for a watched task of load that is not ours)")                                           \
  ROW(device_inflight, "device-inflight",                                                       \
      "a disk has requests in flight and ended none for stall-after (supports a stall)")        \
  ROW(fuse_waiting, "fuse-waiting",                                                             \
      "a watched FUSE connection has requests unanswered and no load completed anything for "   \
      "stall-after (supports a stall)")                                                         \
  ROW(pressure, "pressure",                                                                     \
      "for a tenth of the time all that could run waited for I/O or memory (supports a stall)") \
  ROW(kernel_log, "kernel-log",                                                                 \
      "the kernel reports a lockup, an RCU or workqueue stall, an I/O error (supports a stall)")

struct DetectorInfo {
  std::string_view name;
  std::string_view summary;
};

#define SP_INFO(kind, name, summary) DetectorInfo{name, summary},
inline constexpr std::array kDetectors{
    DetectorInfo{
        "no-progress",
        "a load has an op in flight and has completed none for stall-after (three times that where "
        "cpu-queue speaks)"},
    DetectorInfo{"stuck-op",
                 "one op is in flight for fail-after while others of its load complete"},
    DetectorInfo{"dropout", "throughput under dropout-below of its 60 s median for at least 2 s"},
    SP_DETECTORS(SP_INFO)
    // These explain what the others find, or forbid it.
    DetectorInfo{"lock-contention",
                 "holder and queue of every contended lock, read from the lock itself (explains a "
                 "stall)"},
    DetectorInfo{"vma-lock",
                 "who holds the lock of a VMA and who waits for it, inferred from stacks (explains "
                 "a stall)"},
    DetectorInfo{
        "cpu-queue",
        "threads of a load, of its file server or of a lock's owner mostly queue for a CPU "
        "(no-progress waits three times as long)"},
    DetectorInfo{"observer-gap", "the watchdog itself was not run: nothing is called a stall"}};
#undef SP_INFO

// Bit per place in kDetectors.
using DetectorSet = std::uint32_t;
static_assert(kDetectors.size() <= 32);

// The set of this one; nothing when there is no such detector.
constexpr std::optional<DetectorSet> detector_named(std::string_view name) {
  for (std::size_t i = 0; i < kDetectors.size(); ++i)
    if (kDetectors[i].name == name) return DetectorSet{1} << i;
  return std::nullopt;
}

constexpr bool has_detector(DetectorSet set, std::string_view name) {
  return (set & detector_named(name).value_or(0)) != 0;
}

}  // namespace stallproof
