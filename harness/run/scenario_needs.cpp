// SPDX-License-Identifier: Apache-2.0
#include "harness/run/scenario_needs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/first_line.h"

namespace stallproof {

Result<> check_needs(const std::string& scenario, std::span<const Need> needs) {
  for (const Need& need : needs) {
    const std::string what = fmt::format("{} needs {}: {}", scenario, need.what, need.path);
    const std::string try_this = need.try_this + ", best in a guest: ci/vm/run";
    if (::access(need.path.c_str(), F_OK) != 0)
      return fail_errno(what, errno, try_this, Origin::lacking);
    if (need.value.empty()) continue;
    if (const std::string value = first_line(need.path); value != need.value)
      return fail(fmt::format("{} says '{}' ({})", what, value, try_this), Origin::lacking);
  }
  return {};
}

}  // namespace stallproof
