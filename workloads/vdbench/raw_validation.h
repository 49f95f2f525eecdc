// SPDX-License-Identifier: Apache-2.0
// Data validation of a raw run that is being made: whole key blocks, and room for many of them.
// Steps of raw_job.cpp; pure, without validation they do nothing.
#pragma once

#include "workloads/vdbench/raw_job.h"

namespace stallproof {

// What the job says of it. `key_blocks` by index of ParameterSet::sds.
Result<> settle_validation(const General& general, const std::vector<std::uint32_t>& key_blocks,
                           RawRun& run);
// Once a settled run has its streams.
Result<> check_validated(const RawRunInput& input, const RawRun& run);
// Both, of a format, for which any room is enough.
Result<> settle_format_validation(const General& general,
                                  const std::vector<std::uint32_t>& key_blocks, RawRun& run);

}  // namespace stallproof
