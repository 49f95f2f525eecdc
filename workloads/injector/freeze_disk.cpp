// SPDX-License-Identifier: Apache-2.0
// The loads' file system is frozen, as for a snapshot that is never finished: whoever changes it
// waits in sb_start_write or sb_start_pagefault (percpu_rwsem_wait; fs/super.c, 6.18), readers go
// on.
#include "workloads/injector/disk_injector.h"
#include "workloads/injector/injector_catalogue.h"

namespace stallproof {
namespace {

class FreezeDisk : public DiskInjector {
 public:
  Result<> inject(pid_t) override {
    if (const int error = disk()->freeze(); error != 0) return fail_errno("freeze the disk", error);
    return {};
  }
  Result<> heal() override {
    if (disk() == nullptr) return {};
    if (const int error = disk()->thaw(); error != 0) return fail_errno("thaw the disk", error);
    return {};
  }
};

constexpr WorkloadParameter kParameters[] = {kDiskSizeParameter};

}  // namespace

InjectorInfo freeze_disk_injector();
InjectorInfo freeze_disk_injector() {
  return {.name = "freeze-disk",
          .summary = "freezes the file system of the loads (FIFREEZE)",
          .parameters = kParameters,
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<FreezeDisk>()); }};
}

}  // namespace stallproof
