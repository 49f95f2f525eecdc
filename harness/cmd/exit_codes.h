// SPDX-License-Identifier: Apache-2.0
// The exit codes that pipelines rely on (DESIGN section 4). Pure.
#pragma once

#include <string_view>

#include "harness/base/result.h"

namespace stallproof {

// The exit code an error ends this command with. That the machine lacks the means is 77 for the few
// commands whose tests are to be skipped then; others ask for something that it cannot do: 2.
int exit_code_of(const Error& error, std::string_view command);

// What `help exit-codes` prints.
std::string_view exit_codes_text();

}  // namespace stallproof
