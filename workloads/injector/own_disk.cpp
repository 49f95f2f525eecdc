// SPDX-License-Identifier: Apache-2.0
// Nothing is injected: a healthy disk for loads that are disturbed otherwise, or not at all.
#include "workloads/injector/disk_injector.h"
#include "workloads/injector/injector_catalogue.h"

namespace stallproof {
namespace {

constexpr WorkloadParameter kParameters[] = {kDiskSizeParameter};

}  // namespace

InjectorInfo own_disk_injector();
InjectorInfo own_disk_injector() {
  return {.name = "own-disk",
          .summary = "a disk of the loads' own, and nothing is done to it",
          .parameters = kParameters,
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<DiskInjector>()); }};
}

}  // namespace stallproof
