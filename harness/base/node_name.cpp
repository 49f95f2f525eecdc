// SPDX-License-Identifier: Apache-2.0
#include "harness/base/node_name.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string_view>

namespace stallproof {
namespace {

constexpr std::size_t kLongestName = 255;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

}  // namespace

std::string node_name() {
  for (const char* const variable : {"STALLPROOF_NODE", "SLURMD_NODENAME"})
    if (const char* const name = std::getenv(variable); name != nullptr && is_name(name))
      return name;
  utsname machine{};
  ::uname(&machine);
  return machine.nodename;
}

}  // namespace stallproof
