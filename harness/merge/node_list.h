// SPDX-License-Identifier: Apache-2.0
// Names of nodes as people and Slurm write them: "n1,n2", "node[01-20]", "rack[1-2]n[1,3-5]x".
// Pure; any bytes are accepted, most are refused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

// Beyond it a list is a slip of the pen: Slurm itself allows 65 533 nodes.
inline constexpr std::size_t kMostNodes = 65'536;

// In the order of the list; words are parted by commas or blanks. Brackets hold numbers and ranges,
// as wide as their first number is written; several in one word are all combinations. `option`
// stands at the beginning of an error, which names the column.
Result<std::vector<std::string>> parse_node_list(std::string_view text, const std::string& option);

// The same node: equal, or one is the other with its domain ("n1" and "n1.lab.example").
bool same_node(std::string_view one, std::string_view other);

}  // namespace stallproof
