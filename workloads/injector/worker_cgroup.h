// SPDX-License-Identifier: Apache-2.0
// The run's cgroup for the worker process: the version 1 controller where one is mounted, else
// version 2, or as asked. Injector process, one thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/settings.h"
#include "workloads/catalogue.h"

namespace stallproof {

inline constexpr WorkloadParameter kHierarchyParameter{
    "hierarchy", "auto", "auto: cgroup version 1 where the controller is there, else 2; v1; v2"};

// The controller that is needed, and by which file each version shows that it is there.
struct CgroupNeed {
  const char* controller;  // of version 1: "cpu"
  const char* v1_file;
  const char* v2_file;
};

class WorkerCgroup {
 public:
  // Makes the cgroup; nobody is in it. Lacking means is Origin::lacking.
  static Result<WorkerCgroup> make(const Settings& settings, const CgroupNeed& need);

  [[nodiscard]] bool unified() const { return unified_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Writes FILE=TEXT below the cgroup, in order.
  Result<> set(const std::vector<std::pair<std::string, std::string>>& values) const;
  Result<> take(pid_t worker) const;
  // The worker goes on unhindered, in the cgroup, until it ends.
  Result<> lift() const;
  Result<> remove();

 private:
  std::string path_;
  bool unified_ = false;
};

}  // namespace stallproof
