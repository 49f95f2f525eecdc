// SPDX-License-Identifier: Apache-2.0
#include "harness/run/target_rows.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

namespace stallproof {

std::vector<std::string> target_names(const EvidenceArea& area) {
  std::vector<std::string> names;
  for (const TargetRow& row : area.targets) {
    const std::int32_t tgid = row.tgid.load(std::memory_order_acquire);
    if (tgid == 0) break;
    const std::string_view comm(row.comm.data(), ::strnlen(row.comm.data(), row.comm.size()));
    names.push_back(tgid < 0 ? std::string(comm) : fmt::format("{}-{}", comm, tgid));
  }
  return names;
}

}  // namespace stallproof
