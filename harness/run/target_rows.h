// SPDX-License-Identifier: Apache-2.0
// What loads that are not ours are called, in the order of the watchdog's views.
#pragma once

#include <string>
#include <vector>

#include "harness/board/evidence.h"

namespace stallproof {

// "fio-1234"; the last one may be shared by processes for which there was no room of their own.
std::vector<std::string> target_names(const EvidenceArea& area);

}  // namespace stallproof
