// SPDX-License-Identifier: Apache-2.0
// A directory that is read entry by entry and closed with its owner; where only its names are
// wanted: directory.h. Blocking, as its file system is.
#pragma once

#include <dirent.h>

#include <memory>
#include <string>

namespace stallproof {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using OpenDirectory = std::unique_ptr<DIR, CloseDirectory>;

// None, and errno, where it cannot be opened.
inline OpenDirectory open_directory(const std::string& path) {
  return OpenDirectory(::opendir(path.c_str()));
}

}  // namespace stallproof
