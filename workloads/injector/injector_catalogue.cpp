// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/injector_catalogue.h"

#include <array>

// One line for each injector: NAME_injector() is defined in NAME.cpp.
#define SP_INJECTORS(ROW) \
  ROW(cpu_quota)          \
  ROW(dm_disk)            \
  ROW(ffs_module)         \
  ROW(freeze_disk)        \
  ROW(freeze_process)     \
  ROW(loop_file)          \
  ROW(nbd_disk)           \
  ROW(nfs_disk)           \
  ROW(null_disk)          \
  ROW(own_disk)           \
  ROW(throttle_disk)

namespace stallproof {

#define SP_DECLARE(name) InjectorInfo name##_injector();
SP_INJECTORS(SP_DECLARE)
#undef SP_DECLARE

std::span<const InjectorInfo> injector_catalogue() {
#define SP_ROW(name) name##_injector(),
  static const std::array table{SP_INJECTORS(SP_ROW)};
#undef SP_ROW
  return table;
}

const InjectorInfo* find_injector(std::string_view name) {
  for (const InjectorInfo& info : injector_catalogue())
    if (info.name == name) return &info;
  return nullptr;
}

}  // namespace stallproof
