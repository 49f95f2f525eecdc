// SPDX-License-Identifier: Apache-2.0
// verdict.json back as a Verdict, whichever version of stallproof wrote it: a key that it did not
// have yet keeps its default. A key of another kind, a missing one that all versions wrote, and a
// newer schema are an error in one line that names file and field. Blocking; reads one file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/base/json_fields.h"
#include "harness/base/result.h"
#include "harness/store/verdict.h"

namespace stallproof {

std::optional<Outcome> outcome_of(std::string_view name);

// Of an object as thresholds_json() writes it.
RunThresholds read_thresholds(const JsonFields& in);
// `name` stands at the beginning of an error, usually the path of the file.
Result<Verdict> parse_verdict(std::string_view text, const std::string& name);
Result<Verdict> read_verdict(const std::string& path);

}  // namespace stallproof
