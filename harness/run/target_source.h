// SPDX-License-Identifier: Apache-2.0
// Progress of load that is not ours: samples of the watched processes' threads (BPF, else /proc),
// one process = one load. Watchdog process only.
#pragma once

#include <array>
#include <optional>

#include "harness/detect/target_progress.h"
#include "harness/probe/target_proc.h"
#include "harness/probe/target_scan.h"
#include "harness/run/progress_source.h"

namespace stallproof {

class TargetSource final : public ProgressSource {
 public:
  // `canary_stall_after`: as of TargetProgress.
  explicit TargetSource(Nanos stall_after, Nanos canary_stall_after = 0)
      : stall_after_(stall_after),
        canary_(canary_stall_after != 0),
        progress_(stall_after, canary_stall_after) {}
  void open(EvidenceArea& area) override;
  void read(SystemView& view, EvidenceArea& area) override;
  [[nodiscard]] bool own_load() const override { return false; }
  [[nodiscard]] std::uint32_t canary_loads() const override {
    return canary_ ? 1U << kCanaryRow : 0;
  }

 private:
  void follow_processes(EvidenceArea& area);
  void follow_canary(const EvidenceArea& area);
  [[nodiscard]] std::span<const ThreadSample> sample(EvidenceArea& area);
  void publish(EvidenceArea& area) const;

  Nanos stall_after_;
  bool canary_;
  std::optional<TargetScan> scan_;
  std::optional<TargetProc> proc_;
  TargetProgress progress_;
  std::array<std::int32_t, kWatchedMax> watched_{};
  Nanos next_sample_ns_ = 0;
};

}  // namespace stallproof
