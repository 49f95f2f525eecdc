// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/definitions.h"

#include <strings.h>

#include <algorithm>

namespace stallproof {
namespace {

// In the order of FileOperation.
constexpr std::array kOperations = {"read",   "write",  "mkdir",  "rmdir",   "copy",
                                    "move",   "create", "delete", "getattr", "setattr",
                                    "access", "open",   "close"};

}  // namespace

std::optional<FileOperation> file_operation(const std::string& name) {
  for (std::size_t i = 0; i < kOperations.size(); ++i)
    if (::strcasecmp(kOperations[i], name.c_str()) == 0) return static_cast<FileOperation>(i);
  return std::nullopt;
}

std::string name_of(FileOperation operation) {
  return kOperations[static_cast<std::size_t>(operation)];
}

bool matches_name(const std::string& wanted, const std::string& name) {
  if (wanted.ends_with('*')) return name.starts_with(wanted.substr(0, wanted.size() - 1));
  return wanted == name;
}

}  // namespace stallproof
