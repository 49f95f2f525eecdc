// SPDX-License-Identifier: Apache-2.0
// nightly.toml to begin with, as commented TOML, fitted to the targets and to the disk of the
// results. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/run/plan/target_look.h"

namespace stallproof {

// `free_bytes`: on the disk where `output` is. At least one target. An Error when one has no room.
Result<std::string> night_file_text(const std::string& name, const std::vector<TargetLook>& targets,
                                    const std::string& output, std::uint64_t free_bytes);

}  // namespace stallproof
