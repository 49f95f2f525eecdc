// SPDX-License-Identifier: Apache-2.0
// Small files. Blocking; never call these on the target or inside the watchdog's loop.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace stallproof {

Result<std::string> read_file(const std::string& path, std::size_t limit = 64U << 20U);

// Write, fsync, rename: a crash leaves the old content or the new, never half of it.
Result<> write_file_atomically(const std::string& path, std::string_view content,
                               mode_t mode = 0644);

// Existing file, as sysfs wants it: one write(2), no truncation, no rename.
Result<> write_control_file(const std::string& path, std::string_view content);

// mkdir -p.
Result<> make_directories(const std::string& path);

}  // namespace stallproof
