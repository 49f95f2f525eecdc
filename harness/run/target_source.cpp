// SPDX-License-Identifier: Apache-2.0
#include "harness/run/target_source.h"

namespace stallproof {

void TargetSource::open(EvidenceArea&) {}
void TargetSource::read(SystemView& view, EvidenceArea&) { view.load_count = 0; }

}  // namespace stallproof
