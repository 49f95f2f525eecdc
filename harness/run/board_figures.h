// SPDX-License-Identifier: Apache-2.0
// Where the figures of a run come from: the board on which our own loads say what they do, or the
// rows the watchdog keeps of loads that are not ours, and its evidence. Each source has mappings of
// its own, so it can be read from any thread, without a lock, also after the run and after the
// processes that wrote there have ended.
#pragma once

#include <memory>

#include "harness/sink/run_figures.h"

namespace stallproof {

// Controller, main thread. `board_fd` < 0: the load is not ours. The descriptors are only used
// here. Never null: what could not be mapped is told as a blind spot and has no figures.
std::shared_ptr<const FigureSource> make_figure_source(int board_fd, int evidence_fd);

}  // namespace stallproof
