// SPDX-License-Identifier: Apache-2.0
// How fast each load usually was in one run: the median of its seconds, from the series that the
// run left. The seconds of one run depend on each other; their median is one value that does not,
// and the only thing of them that runs are compared by. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace stallproof {

// Operations per second by load. Seconds that end within `warmup_ms` of the first row do not count
// when there are later ones, nor do those in which a load was not to run: before its first and
// behind its last completion, and, where the series tells what was in flight, those without any.
// A damaged series is an error that names the line; `name` stands at its beginning.
Result<std::map<std::string, double>> median_rates(std::string_view csv, double warmup_ms,
                                                   const std::string& name);

}  // namespace stallproof
