// SPDX-License-Identifier: Apache-2.0
// What a coordinated run says in env.json of its start and its clock (harness/run/coordinate).
// Pure; the text is read with suspicion.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace stallproof {

struct CoordinationFacts {
  std::string job;
  int rank = 0, count = 0;
  std::string share;
  std::string plan_id;
  bool agreed = false;                  // a common start was agreed on
  bool started = false;                 // the load did start
  std::optional<double> start_late_ms;  // of the load, after the second agreed on; by its own clock
  std::string against;                  // node whose clock this one was compared with
  // This clock less that one, and how far the truth may be from it. Absent: not measured.
  std::optional<double> offset_ms, error_ms;
};

// `environment`: env.json as text. nullopt: the run was not coordinated. An error when the object
// is not one that was written by us.
Result<std::optional<CoordinationFacts>> read_coordination(std::string_view environment,
                                                           const std::string& name);

// How far the clocks are apart at least, whatever the measurement's error; 0 where they may agree.
double apart_at_least_ms(const CoordinationFacts& facts);

}  // namespace stallproof
