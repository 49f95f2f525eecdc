// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace stallproof {

// "0.1.0"; between two releases with the commit behind it: "0.1.0-dev.423+g0123abcd".
std::string_view tool_version();

}  // namespace stallproof
