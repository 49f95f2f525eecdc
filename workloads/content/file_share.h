// SPDX-License-Identifier: Apache-2.0
// Which part of its file a load works on, and whether others write there too: how loads of several
// processes or nodes use one file. Pure.
#pragma once

#include <cstdint>

#include "harness/base/result.h"
#include "harness/base/settings.h"

namespace stallproof {

struct FileShare {
  unsigned part = 1, parts = 1;  // the part-th of so many equal ones
  bool many_writers = false;     // others write the same blocks meanwhile

  [[nodiscard]] bool shared() const { return parts > 1 || many_writers; }
};

struct FileRange {
  std::uint64_t begin = 0, end = 0;  // bytes, whole pages
};

// Of the parameters file-part ("all" or "K/N") and file-writers ("one" or "many").
Result<FileShare> read_file_share(const Settings& settings);

// Parts begin at multiples of 1 MiB where the file is large enough for that, else of a page. What
// is left over at the end belongs to nobody.
FileRange range_of(const FileShare& share, std::uint64_t file_size);

}  // namespace stallproof
