// SPDX-License-Identifier: Apache-2.0
// What `stallproof judge` prints of one run: its own verdict and the new one side by side. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "harness/run/judge/rejudge.h"

namespace stallproof {

std::string judged_text(const JudgedRun& judged);
nlohmann::ordered_json judged_json(const JudgedRun& judged);

}  // namespace stallproof
