// SPDX-License-Identifier: Apache-2.0
// Functions of interrupts, of who looks at a stack, and of what checks every access: they are seen
// on stacks and are never why something is stuck. Patterns (glob.h), 2.6.32 to 7.x. Pure.
#pragma once

#include <span>
#include <string_view>

namespace stallproof {

std::span<const std::string_view> kernel_observers();

}  // namespace stallproof
