// SPDX-License-Identifier: Apache-2.0
// What all injectors have in common that hold the worker up by a cgroup: it is moved there when the
// limit is set, and stays there, unhindered, once it is lifted.
#pragma once

#include "workloads/injector/disk_injector.h"
#include "workloads/injector/worker_cgroup.h"

namespace stallproof {

class CgroupInjector : public DiskInjector {
 public:
  Result<std::string> prepare(const InjectorContext& context) override {
    auto group = WorkerCgroup::make(context.settings, need());
    if (!group) return Failure{group.error()};
    group_ = std::move(*group);
    return DiskInjector::prepare(context);
  }
  Result<> heal() override { return group_.lift(); }
  Result<> remove() override {
    auto gone = group_.remove();
    auto removed = DiskInjector::remove();
    return gone ? removed : gone;
  }

 protected:
  [[nodiscard]] virtual CgroupNeed need() const = 0;
  [[nodiscard]] const WorkerCgroup& group() const { return group_; }

 private:
  WorkerCgroup group_;
};

}  // namespace stallproof
