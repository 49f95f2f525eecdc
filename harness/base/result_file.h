// SPDX-License-Identifier: Apache-2.0
// Files that a user names for a result. A regular file, also behind links, is replaced whole or
// stays as it was; a pipe or a character device is written to and never replaced; a link stays a
// link. Blocking; a pipe that nobody reads is waited for 30 seconds at most.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace stallproof {

Result<> replace_file(const std::string& path, std::string_view content);
// What the file holds already stays before it.
Result<> append_to_file(const std::string& path, std::string_view content);

// To be asked before the work whose result goes there: an Error for a directory, a block device, a
// socket and links in a circle, which are never written to.
Result<> check_result_file(const std::string& path);
// The same, and an Error for whatever else cannot be replaced whole: pipes and devices.
Result<> check_replaced_file(const std::string& path);

// The file that a link to a link … names, there or not; else the path as it is.
Result<std::string> file_behind_links(const std::string& path);

}  // namespace stallproof
