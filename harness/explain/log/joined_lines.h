// SPDX-License-Identifier: Apache-2.0
// Records of a log that share one line: consoles lose line ends, shells and logins write their
// prompt before what the kernel says. Pure and total, linear in the text.
#pragma once

#include <cstddef>
#include <string_view>

namespace stallproof {

// Where in `text`, after its first letter, the stamp of a record begins: "[  123.456789]". npos
// when there is none, or when a program that names itself ("node7 app[77]: ") wrote what stands
// before it; `stamped`: logging stood before `text`.
std::size_t joined_at(std::string_view text, bool stamped);

// The stamp tells the microsecond: the same line twice is one record that two consoles wrote.
bool has_fine_stamp(std::string_view raw);

}  // namespace stallproof
