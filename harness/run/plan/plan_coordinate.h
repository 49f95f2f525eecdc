// SPDX-License-Identifier: Apache-2.0
// A plan's [coordinate] table: read, written, checked, and what becomes of the plan on one node.
#pragma once

#include <toml++/toml.h>

#include <string>

#include "harness/base/toml_reader.h"
#include "harness/run/plan/plan.h"

namespace stallproof {

const char* node_share_name(NodeShare share);

PlanCoordinate read_coordinate(const toml::table& table, TomlProblems& problems);
std::string coordinate_text(const PlanCoordinate& coordinate);
// What the plan's loads have against it; empty: nothing.
std::string coordinate_problem(const LoadPlan& plan);

// As node `rank` (from 0) of `count` runs it: its own part of the files, or all of them beside the
// others, and a seed of its own. `shared`: the directory that relative paths of loads that can
// share a file begin in from now on; those of others stay the run's own. Pure.
LoadPlan plan_of_node(const LoadPlan& plan, unsigned rank, unsigned count,
                      const std::string& shared);
// Some load has its file in the directory that the nodes share.
bool shares_directory(const LoadPlan& plan);

// The plan's seed is drawn anew for each run unless it says one; on several nodes it must be the
// same: this one is the job's.
std::uint64_t seed_of_job(const std::string& job);

}  // namespace stallproof
