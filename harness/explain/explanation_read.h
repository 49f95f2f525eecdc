// SPDX-License-Identifier: Apache-2.0
// explanation.json back as an Explanation. Pure; refuses what is no such document in one line.
#pragma once

#include <string_view>

#include "harness/base/result.h"
#include "harness/explain/explanation.h"

namespace stallproof {

// Of a kernel log's reports nothing is read: they are evidence, not part of the graph.
Result<Explanation> read_explanation_json(std::string_view text);

}  // namespace stallproof
