// SPDX-License-Identifier: Apache-2.0
// The seam of detectors: judge a view, report findings, read nothing. Called once a tick by the
// watchdog, in its loop: no allocation, no clock, no file, no wait.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "harness/detect/catalogue.h"
#include "harness/detect/system_view.h"

namespace stallproof {

#define SP_KIND(kind, name, summary) kind,
enum class FindingKind : std::uint32_t {
  no_progress,
  stuck_op,
  dropout_begin,
  dropout_end,
  SP_DETECTORS(SP_KIND)
};
#undef SP_KIND
#define SP_ONE(kind, name, summary) +1
inline constexpr std::size_t kFindingKinds = 4 SP_DETECTORS(SP_ONE);
#undef SP_ONE
static_assert(kFindingKinds <= 32);  // sets of them are bits
std::string_view finding_name(FindingKind kind);
// By itself it is no incident; of one that stands it is part of the evidence.
bool only_supports(FindingKind kind);
// Bit per kind of finding that these detectors report.
std::uint32_t findings_of(DetectorSet detectors);

struct Finding {
  FindingKind kind = FindingKind::no_progress;
  std::uint32_t load = 0;   // index on the board
  std::uint32_t tid = 0;    // the thread that shows it best, 0 when none does
  std::uint32_t count = 0;  // ops or tasks concerned
  Nanos since_ns = 0;       // onset of a stall, begin of a dropout
  Nanos until_ns = 0;       // end of a dropout
  double ratio = 0;         // lowest throughput over median, for dropouts
  bool opens = false;       // of a kind that mostly supports: this one is an incident by itself
  Subject subject{};        // what it is about, in words, where tid and load do not say it
};

// Fixed capacity; what does not fit is counted, never lost in silence.
class FindingList {
 public:
  void add(const Finding& finding) {
    if ((left_out_ >> static_cast<std::uint32_t>(finding.kind) & 1U) != 0) return;
    if (size_ < items_.size())
      items_[size_++] = finding;
    else
      ++overflow_;
  }
  void clear() { size_ = 0; }
  // From now on, by bits of their kinds: findings that are not wanted.
  void leave_out(std::uint32_t kinds) { left_out_ = kinds; }
  [[nodiscard]] std::span<const Finding> items() const { return {items_.data(), size_}; }
  [[nodiscard]] std::uint64_t overflow() const { return overflow_; }

 private:
  std::array<Finding, 4 * kMaxLoads> items_;
  std::size_t size_ = 0;
  std::uint32_t left_out_ = 0;
  std::uint64_t overflow_ = 0;
};

// Thresholds of DESIGN section 6, printed in every verdict.
struct Thresholds {
  Nanos stall_after = kSecond;
  Nanos fail_after = kSecond;
  double dropout_below = 0.10;
  DetectorSet without{};  // left out on purpose: a quiet run is then worth nothing, and says so
};

class Detector {
 public:
  virtual ~Detector() = default;
  virtual void check(const SystemView& view, FindingList& out) = 0;
};

}  // namespace stallproof
