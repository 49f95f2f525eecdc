// SPDX-License-Identifier: Apache-2.0
// Where this tree and its build lie, for tests and benchmarks that read files of them. One small
// object alone has the paths, so that a compiler cache finds all others in every clone.
#pragma once

#include <string>
#include <string_view>

namespace stallproof {

std::string source_file(std::string_view below_the_top);
std::string built_file(std::string_view below_the_build);

}  // namespace stallproof
