// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/detector_table.h"

namespace stallproof {

std::vector<std::unique_ptr<Detector>> make_detectors(const Thresholds& thresholds) {
  std::vector<std::unique_ptr<Detector>> made;
#define SP_MAKE(kind, name, summary) made.push_back(make_##kind(thresholds));
  SP_DETECTORS(SP_MAKE)
#undef SP_MAKE
  return made;
}

}  // namespace stallproof
