// SPDX-License-Identifier: Apache-2.0
// Text of strangers (names, paths, words of a command line) in a line for a person: it neither ends
// the line nor moves the cursor of a terminal. Pure.
#pragma once

#include <string>

namespace stallproof {

// Each control character as '?': bytes below 0x20, 0x7f, and U+0080 to U+009F. Other UTF-8 stays.
std::string on_one_line(std::string text);

}  // namespace stallproof
