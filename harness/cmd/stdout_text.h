// SPDX-License-Identifier: Apache-2.0
// What a command prints. A result that did not arrive (disk full, reader gone) must not look like
// one that did. Main thread; blocks as long as the reader of a pipe does.
#pragma once

#include <string_view>

#include "harness/base/result.h"

namespace stallproof {

// The whole text, flushed; else an Error (Origin::infra).
Result<> write_stdout(std::string_view text);
// "stallproof: TEXT" and a newline. Never throws: where stderr is gone nobody is left to be told.
void say_on_stderr(std::string_view text) noexcept;

}  // namespace stallproof
