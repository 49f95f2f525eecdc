// SPDX-License-Identifier: Apache-2.0
// The one table of the profiles of mprotect-storm. A new profile is one file that implements
// Workload and one line in storm_profiles.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/workload.h"

namespace stallproof {

struct StormProfile {
  std::string_view name;
  std::string_view summary;
  std::unique_ptr<Workload> (*make)() = nullptr;
};

std::span<const StormProfile> storm_profiles();
std::vector<std::string> storm_profile_names();
// nullptr for a name that is not in the table.
const StormProfile* find_storm_profile(std::string_view name);

}  // namespace stallproof
