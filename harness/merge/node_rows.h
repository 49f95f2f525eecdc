// SPDX-License-Identifier: Apache-2.0
// One node as a line of a picture: what it was in when, and how fast it was. SVG that is complete
// without style sheet and script; names are escaped. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/merge/activity.h"
#include "harness/merge/merge.h"
#include "harness/sink/report/time_axis.h"
#include "harness/sink/report/trace.h"

namespace stallproof {

// What a state of a node is drawn in.
struct StateColor {
  const char* word;
  const char* color;
};
const std::vector<StateColor>& state_colors();

// From the first node's start to the last one's end, on the wall clock where that is known.
TimeAxis fleet_axis(const Merged& merged);

std::string state_row(const Merged& merged, std::size_t node, const TimeAxis& axis);
std::string speed_row(const Merged& merged, std::size_t node, const Activity& activity,
                      const TimeAxis& axis, const ValueScale& scale);

// One for all nodes, so that rows can be compared.
ValueScale speed_scale(const std::vector<Activity>& activities);

}  // namespace stallproof
