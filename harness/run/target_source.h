// SPDX-License-Identifier: Apache-2.0
// Progress of load that is not ours: samples of the watched processes' threads (BPF, else /proc),
// one process = one load. Watchdog process only.
#pragma once

#include "harness/run/progress_source.h"

namespace stallproof {

class TargetSource final : public ProgressSource {
 public:
  void open(EvidenceArea& area) override;
  void read(SystemView& view, EvidenceArea& area) override;
  [[nodiscard]] bool own_load() const override { return false; }
};

}  // namespace stallproof
