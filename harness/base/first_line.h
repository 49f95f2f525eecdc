// SPDX-License-Identifier: Apache-2.0
// Small files of one line, as sysfs has them. Blocking, as its file system is.
#pragma once

#include <string>

#include "harness/base/file.h"

namespace stallproof {

// Without its end; empty where the file cannot be read or is larger than a page.
inline std::string first_line(const std::string& path) {
  constexpr std::size_t kMostBytes = 4096;
  const std::string text = read_file(path, kMostBytes).value_or("");
  return text.substr(0, text.find('\n'));
}

}  // namespace stallproof
