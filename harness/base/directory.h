// SPDX-License-Identifier: Apache-2.0
// What a directory holds. Blocking, as its file system is.
#pragma once

#include <string>
#include <vector>

namespace stallproof {

// Sorted, without "." and ".."; none where it cannot be opened.
std::vector<std::string> names_in(const std::string& directory);
// Those that begin with a digit, as processes do in /proc, in the order of numbers.
std::vector<std::string> numbers_in(const std::string& directory);

}  // namespace stallproof
