// SPDX-License-Identifier: Apache-2.0
// The one table of workloads: `list workloads`, the help, parameter checks and the worker process
// all read it. A new workload is one file and one line in catalogue.cpp.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/settings.h"
#include "workloads/workload.h"

namespace stallproof {

struct WorkloadParameter {
  std::string_view name;
  std::string_view fallback;  // as the user would type it
  std::string_view help;
};

// A value of a parameter that deserves a line of its own in `list workloads`.
struct WorkloadChoice {
  std::string_view parameter;
  std::string_view value;
  std::string_view summary;
};

struct WorkloadInfo {
  std::string_view name;
  std::string_view thread_prefix;  // threads are PREFIX/0, PREFIX/1, ...; at most 15 characters
  std::string_view summary;
  std::span<const std::string_view> exercises;  // "mmap_lock.write", "fuse.fault", ...
  std::span<const WorkloadParameter> parameters;
  unsigned default_threads = 1;
  // Why this machine cannot run it; nullopt when it can.
  std::optional<std::string> (*unsupported)() = nullptr;
  std::unique_ptr<Workload> (*make)() = nullptr;
  std::span<const WorkloadChoice> choices = {};
};

std::span<const WorkloadInfo> workload_catalogue();
// nullptr for a name that is not in the table.
const WorkloadInfo* find_workload(std::string_view name);
// Names of the parameters of all workloads, each once.
std::vector<std::string> all_workload_parameters();
// The given settings with the workload's own defaults for what they leave out.
Settings with_defaults(const WorkloadInfo& info, const Settings& settings);

}  // namespace stallproof
