// SPDX-License-Identifier: Apache-2.0
// The detectors of SP_DETECTORS (catalogue.h), made. Before the watchdog's loop: they may allocate
// here, and only here.
#pragma once

#include <memory>
#include <vector>

#include "harness/detect/detector.h"

namespace stallproof {

// Each is defined beside its detector.
#define SP_DECLARE(kind, name, summary) \
  std::unique_ptr<Detector> make_##kind(const Thresholds& thresholds);
SP_DETECTORS(SP_DECLARE)
#undef SP_DECLARE

// All of them, in the order of the table.
std::vector<std::unique_ptr<Detector>> make_detectors(const Thresholds& thresholds);

}  // namespace stallproof
