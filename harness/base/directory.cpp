// SPDX-License-Identifier: Apache-2.0
#include "harness/base/directory.h"

#include <algorithm>

#include "harness/base/open_directory.h"

namespace stallproof {

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  const OpenDirectory open = open_directory(directory);
  if (!open) return names;
  while (const dirent* entry = ::readdir(open.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> numbers_in(const std::string& directory) {
  std::vector<std::string> names = names_in(directory);
  std::erase_if(names, [](const std::string& name) { return name[0] < '0' || name[0] > '9'; });
  std::stable_sort(names.begin(), names.end(),
                   [](const std::string& a, const std::string& b) { return a.size() < b.size(); });
  return names;
}

}  // namespace stallproof
