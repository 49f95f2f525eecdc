// SPDX-License-Identifier: Apache-2.0
// What this machine can do, checked by trying it where a try is harmless. One row per ability.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {

enum class Ability { there, lacking, warning, not_tested };

struct DoctorRow {
  std::string name;
  Ability ability = Ability::there;
  std::string finding;  // what was found
  std::string cost;     // what the lack costs; empty when there is none
  bool repro_needs_it = false;
};

std::vector<DoctorRow> check_machine();
// Of these, what the watchdog needs; part of check_machine().
std::vector<DoctorRow> check_watchdog();
// /proc/self/mountinfo waits where somebody mounts or unmounts on a dead file system: not here.
Result<std::vector<MountEntry>> read_mounts_bounded();
// The directory is looked at by a child with a deadline: a dead mount costs a row, not the command.
// Error when there is no such directory.
Result<std::vector<DoctorRow>> check_target(const std::string& directory);

// Which loads of `run --target` will work there, and whether there is room; `tried`: what
// check_target() found. Asks the file system in a child with a deadline.
std::vector<DoctorRow> check_loads(const std::string& directory,
                                   const std::vector<DoctorRow>& tried);

}  // namespace stallproof
