// SPDX-License-Identifier: Apache-2.0
// Findings open or extend one incident; it resolves when every load it holds completes again. Pure
// bookkeeping for the watchdog's loop: fixed size, time comes in with the view.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "harness/detect/detector.h"

namespace stallproof {

// What a detector that only supports has said of an incident.
struct Support {
  Nanos since_ns = 0;  // 0: nothing
  std::uint32_t count = 0;
  Subject subject{};
};

struct Incident {
  std::uint32_t number = 0;   // 1, 2, … within the run
  Nanos onset_ns = 0;         // earliest onset among the findings that opened it
  Nanos detected_ns = 0;      // when it was opened
  Nanos resolved_ns = 0;      // 0 while it stands
  std::uint32_t kinds = 0;    // bit per FindingKind
  std::uint32_t blocked = 0;  // most tasks seen blocked during it
  std::array<bool, kMaxLoads> stalled{};
  std::array<Support, kFindingKinds> support{};  // by FindingKind
};

enum class IncidentChange { opened, extended, resolved };

class IncidentTracker {
 public:
  // `loads`: by bits, those whose stalls it follows.
  explicit IncidentTracker(std::uint32_t loads = ~0U) : loads_(loads) {}
  // At most one change a tick. A finding that supports only (blocked tasks) opens nothing.
  std::optional<IncidentChange> update(const SystemView& view, std::span<const Finding> findings);
  // The load was ended on purpose: what still stands stays unresolved and is no longer extended.
  void end_load() { ended_ = true; }

  [[nodiscard]] const Incident& current() const { return current_; }
  [[nodiscard]] bool standing() const { return current_.number != 0 && current_.resolved_ns == 0; }

 private:
  [[nodiscard]] bool opened_by(const Finding& finding) const;
  std::optional<IncidentChange> open(const SystemView& view, std::span<const Finding> findings);
  bool extend(std::span<const Finding> findings);
  [[nodiscard]] bool all_moving(const SystemView& view) const;

  std::uint32_t loads_;
  Incident current_;
  bool ended_ = false;
};

}  // namespace stallproof
