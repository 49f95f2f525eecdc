// SPDX-License-Identifier: Apache-2.0
#include "workloads/load_schedule.h"

#include <algorithm>

namespace stallproof {
namespace {

struct PhaseAt {
  bool on = true;
  Nanos ends = ~Nanos{0};
};

PhaseAt phase_at(const std::vector<SchedulePhase>& phases, Nanos at) {
  Nanos round = 0;
  for (const SchedulePhase& phase : phases) round += phase.duration;
  if (round == 0) return {};
  Nanos ends = at / round * round;
  for (const SchedulePhase& phase : phases) {
    ends += phase.duration;
    if (at < ends) return {phase.on, ends};
  }
  return {};
}

}  // namespace

bool LoadSchedule::on_at(Nanos at) const {
  return at >= start && !over_at(at) && phase_at(phases, at).on;
}

Nanos LoadSchedule::next_change(Nanos at) const {
  if (over_at(at)) return ~Nanos{0};
  Nanos next = phase_at(phases, at).ends;
  if (at < start) next = std::min(next, start);
  if (end != 0) next = std::min(next, end);
  return next;
}

bool LoadSchedule::on_throughout(Nanos from, Nanos to) const {
  for (Nanos at = from; at < to; at = next_change(at))
    if (!on_at(at)) return false;
  return true;
}

}  // namespace stallproof
