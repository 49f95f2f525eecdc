// SPDX-License-Identifier: Apache-2.0
// The figures of single loads at one moment. Only read shared memory: no lock, no wait.
#pragma once

#include <vector>

#include "harness/board/board.h"
#include "harness/board/evidence.h"
#include "harness/sink/run_figures.h"

namespace stallproof {

// One of our own loads. A slot whose writer is in mid-update gives the value before or after.
LoadFigures own_load_figures(const Board& board, const LoadEntry& load, Nanos now);
// The loads that are not ours: as the watchdog last saw their threads.
std::vector<LoadFigures> foreign_load_figures(const EvidenceArea& area, Nanos now);

}  // namespace stallproof
