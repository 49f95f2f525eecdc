// SPDX-License-Identifier: Apache-2.0
// The rows of the function table that say what a task waits for beside a lock or a service. Pure.
#pragma once

#include <span>

#include "harness/explain/kernel_functions.h"

namespace stallproof {

std::span<const KernelFunction> kernel_waits();

}  // namespace stallproof
