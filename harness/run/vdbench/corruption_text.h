// SPDX-License-Identifier: Apache-2.0
// What the error log says of a key block that validation found bad. Pure.
#pragma once

#include <string>
#include <vector>

#include "workloads/io/io_panel.h"

namespace stallproof {

// "lost write": what kind of damage it is, in words that name the likely fault.
std::string damage_name(BlockClass what);

// Lines without time; `fault.error` is kCorruption.
std::vector<std::string> corruption_lines(const JobFile& file, const FaultRecord& fault);

}  // namespace stallproof
