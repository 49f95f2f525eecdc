// SPDX-License-Identifier: Apache-2.0
// What a command prints. A result that did not arrive (disk full, reader gone) must not look like
// one that did. Main thread; blocks as long as the reader of a pipe does.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace stallproof {

// Of --out, where a command has no other result than what it prints.
inline constexpr const char* kPrintedInto = "Write what is printed to this file instead";

// The whole text, flushed; else an Error (Origin::infra).
Result<> write_stdout(std::string_view text);
// The same, or into the file that --out names: replaced whole or left as it was.
Result<> write_result(std::string_view text, const std::string& out);
// "stallproof: TEXT" and a newline: one line, whatever the text is. Never throws: where stderr is
// gone nobody is left to be told.
void say_on_stderr(std::string_view text) noexcept;
// The same for what is neither an error nor limits the result: nothing once it is to be quiet.
void remark_on_stderr(std::string_view text) noexcept;
void leave_out_remarks(bool quiet) noexcept;

}  // namespace stallproof
