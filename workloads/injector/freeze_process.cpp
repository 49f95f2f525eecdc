// SPDX-License-Identifier: Apache-2.0
// The worker process is frozen by its cgroup. Version 1 shows its tasks in D, version 2 in S; both
// are where they were when it came (kernel/freezer.c, kernel/cgroup/freezer.c, 6.18).
#include "workloads/injector/cgroup_injector.h"
#include "workloads/injector/injector_catalogue.h"

namespace stallproof {
namespace {

class FreezeProcess : public CgroupInjector {
 public:
  Result<> inject(pid_t worker) override {
    if (auto taken = group().take(worker); !taken) return taken;
    return group().unified() ? group().set({{"cgroup.freeze", "1"}})
                             : group().set({{"freezer.state", "FROZEN"}});
  }

 protected:
  [[nodiscard]] CgroupNeed need() const override {
    return {"freezer", "freezer.state", "cgroup.freeze"};
  }
};

constexpr WorkloadParameter kParameters[] = {kDiskSizeParameter, kHierarchyParameter};

}  // namespace

InjectorInfo freeze_process_injector();
InjectorInfo freeze_process_injector() {
  return {.name = "freeze-process",
          .summary = "freezes the worker process by a cgroup",
          .parameters = kParameters,
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<FreezeProcess>()); }};
}

}  // namespace stallproof
