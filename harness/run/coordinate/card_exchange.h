// SPDX-License-Identifier: Apache-2.0
// Writing one's card where nodes meet and reading those of others, by a child with a deadline.
#pragma once

#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"

namespace stallproof {

// Puts `content` into DIRECTORY/`name` by rename, then reads the others; the text of each, empty
// for one that is not there. Blocks until the deadline at most.
Result<std::vector<std::string>> exchange_cards(const std::string& directory,
                                                const std::string& name, const std::string& content,
                                                const std::vector<std::string>& others,
                                                Deadline deadline);

}  // namespace stallproof
