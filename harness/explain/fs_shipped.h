// SPDX-License-Identifier: Apache-2.0
// The files of harness/explain/fs, built into the program by CMake so that one file is enough.
#pragma once

#include <span>
#include <string_view>

namespace stallproof {

struct ShippedFs {
  std::string_view file_name;
  std::string_view toml;
};

std::span<const ShippedFs> shipped_fs_files();

}  // namespace stallproof
