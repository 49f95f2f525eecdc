// SPDX-License-Identifier: Apache-2.0
#include "workloads/catalogue.h"

#include <algorithm>
#include <array>

// One line for each workload: NAME_workload() is defined in NAME.cpp. A table rather than
// registration by static objects, which the linker drops from a static library without a word.
#define SP_WORKLOADS(ROW) \
  ROW(cached_verify)      \
  ROW(device_io)          \
  ROW(direct_io)          \
  ROW(direct_mmap)        \
  ROW(direct_read)        \
  ROW(exec_churn)         \
  ROW(file_churn)         \
  ROW(futex_lock)         \
  ROW(journal_sync)       \
  ROW(map_drop)           \
  ROW(map_rewrite)        \
  ROW(mapped_fault)       \
  ROW(mprotect_storm)     \
  ROW(name_churn)         \
  ROW(page_write)         \
  ROW(uffd_touch)         \
  ROW(uring_read)         \
  ROW(vfork_wait)

namespace stallproof {

#define SP_DECLARE(name) WorkloadInfo name##_workload();
SP_WORKLOADS(SP_DECLARE)
#undef SP_DECLARE

std::span<const WorkloadInfo> workload_catalogue() {
#define SP_ROW(name) name##_workload(),
  static const std::array table{SP_WORKLOADS(SP_ROW)};
#undef SP_ROW
  return table;
}

const WorkloadInfo* find_workload(std::string_view name) {
  for (const WorkloadInfo& info : workload_catalogue())
    if (info.name == name) return &info;
  return nullptr;
}

std::vector<std::string> all_workload_parameters() {
  std::vector<std::string> names;
  for (const WorkloadInfo& info : workload_catalogue())
    for (const WorkloadParameter& parameter : info.parameters)
      if (std::find(names.begin(), names.end(), parameter.name) == names.end())
        names.emplace_back(parameter.name);
  return names;
}

Settings with_defaults(const WorkloadInfo& info, const Settings& settings) {
  Settings complete = settings;
  for (const WorkloadParameter& parameter : info.parameters) {
    const std::string name(parameter.name);
    if (!complete.has(name)) complete.set(name, std::string(parameter.fallback));
  }
  return complete;
}

}  // namespace stallproof
