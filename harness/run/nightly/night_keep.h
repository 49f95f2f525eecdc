// SPDX-License-Identifier: Apache-2.0
// What of earlier nights is kept: runs by retention.h, and the folder of a night as long as a run
// of it is, or it is young. Controller; blocks on the disk of the results, at most a minute for
// each run that is removed.
#pragma once

#include <functional>
#include <string>

#include "harness/run/nightly/night_plan.h"
#include "harness/run/nightly/night_record.h"

namespace stallproof {

// `state`: the state directory; its runs are in state/runs, its nights in state/nights. `id`: the
// night that asks, whose own folder and runs stay. `pass` is called before each removal.
NightKept keep_nights(const NightPlan& night, const std::string& state, const std::string& id,
                      const std::function<void()>& pass);

// "20261126-210000", local time: sorts, and says when.
std::string new_night_id();
bool is_night_id(const std::string& name);

}  // namespace stallproof
