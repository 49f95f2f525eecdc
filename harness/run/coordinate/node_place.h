// SPDX-License-Identifier: Apache-2.0
// Which of how many nodes this is, as whoever started us says it in the environment. Pure.
#pragma once

#include <functional>
#include <string>

#include "harness/base/result.h"

namespace stallproof {

struct NodePlace {
  unsigned rank = 0;  // from 0
  unsigned count = 1;
  std::string job;   // what all its nodes are started by; letters, digits and ._-
  std::string meet;  // the directory where they meet; absolute
};

// As getenv(3): null where there is none.
using EnvironmentLook = std::function<const char*(const char*)>;

// STALLPROOF_NODE_RANK, _NODE_COUNT and _JOB, else what Slurm sets inside a step; README.md.
// `planned_meet`: of the plan, for when STALLPROOF_MEET is not set. An Error says what to set.
Result<NodePlace> node_place(const std::string& planned_meet, const EnvironmentLook& look);

}  // namespace stallproof
