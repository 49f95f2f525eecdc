// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/definitions.h"

namespace stallproof {

bool matches_name(const std::string& wanted, const std::string& name) {
  if (wanted.ends_with('*')) return name.starts_with(wanted.substr(0, wanted.size() - 1));
  return wanted == name;
}

}  // namespace stallproof
