// SPDX-License-Identifier: Apache-2.0
// Times, hosts and callers that logging writes before a line. Each takes one of them off the front
// of `line` and says whether there was one. Pure and total.
#pragma once

#include <string_view>

namespace stallproof {

// "[   12.345678]", "[Fri Jun 27 15:21:34 2025]", "[ T38]" (then `caller` is "T38"), the stack
// address that ppc64 prints before a frame. Not "[<address>]", "[sda]" or "[ INFO: … ]".
bool take_bracket(std::string_view& line, std::string_view& caller);

// "2025-06-27T15:21:34.123456+00:00", "Jun 27 15:21:34", "Fri Jun 27 15:21:34 CEST 2025",
// "15:21:34.123".
bool take_date(std::string_view& line);

// "kernel: ", "node7 kernel: ", "node7 kern.err kernel[0]: ", "node7 " before a "[stamp]". A line
// of another program ("node7 app[1]: kernel: …") is left as it is.
bool take_origin(std::string_view& line);

}  // namespace stallproof
