// SPDX-License-Identifier: Apache-2.0
// Name patterns of the file-system files: '*' stands for any run of characters, all else for
// itself.
#pragma once

#include <string_view>

namespace stallproof {

// Pure. At worst O(pattern * text), never exponential.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace stallproof
