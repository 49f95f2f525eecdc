// SPDX-License-Identifier: Apache-2.0
// A small archive made in memory: POSIX ustar (IEEE 1003.1-1988, pax(1)), compressed by zlib. For
// text files of a capture; reads back only what it writes. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct ArchiveFile {
  std::string name;  // relative, at most 100 bytes with the folder
  std::string content;
};

// All files below `folder`, with this modification time.
Result<std::string> make_tar_gz(const std::string& folder, const std::vector<ArchiveFile>& files,
                                std::int64_t seconds_since_epoch);
// Regular files of a .tar.gz; folders and everything else are left out. Refuses more than `limit`
// bytes of content, so that a small file cannot fill the memory.
Result<std::vector<ArchiveFile>> read_tar_gz(std::string_view bytes,
                                             std::size_t limit = 256U << 20U);
bool is_gzip(std::string_view bytes);
// The text inside a .gz.
Result<std::string> gunzip(std::string_view bytes, std::size_t limit);

}  // namespace stallproof
