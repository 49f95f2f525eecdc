// SPDX-License-Identifier: Apache-2.0
// Is the node fit for a run that shall prove something? What hangs already, what an earlier run has
// left, a kernel that will crash or say nothing when a task hangs, and room for what comes. Only
// looks. Controller; blocks for as long as a task in D must be looked at (blocked_before.h), and a
// few seconds for each disk that does not answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/run/preflight/blocked_before.h"

namespace stallproof {

struct RoomNeeded {
  std::string path;  // what exists of it is asked
  std::uint64_t bytes = 0;
  std::string what_for;
};

struct PreflightNeeds {
  Nanos blocked_for = 60 * kSecond;  // in D for so long: it hangs
  std::vector<RoomNeeded> rooms;
};

struct PreflightPlaces {
  std::string proc = "/proc";
  std::string runtime;  // where runs keep their journals (undo_journal.h)
};
PreflightPlaces places_of_this_machine();

// What is not clean: a line each, what and what to do about it; empty: the node is clean.
std::vector<std::string> look_at_node(const PreflightNeeds& needs, const PreflightPlaces& places,
                                      const Wait& wait);

// The parts, a line each.
std::vector<std::string> hanging_tasks(Nanos span, const std::string& proc_root, const Wait& wait);
std::vector<std::string> runs_in_the_way(const std::string& runtime);
std::vector<std::string> kernel_settings_in_the_way(const std::string& proc_root);
// Of the disk that `path`, or what exists of it, is on; for ordinary users. 5 s at most.
Result<std::uint64_t> free_bytes_at(const std::string& path);
std::vector<std::string> missing_room(const std::vector<RoomNeeded>& rooms);

}  // namespace stallproof
