// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace stallproof {

// "0.1.0", with the commit behind it where it was built from one: "0.1.0+g0123abcd".
std::string_view tool_version();

}  // namespace stallproof
