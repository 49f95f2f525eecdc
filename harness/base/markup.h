// SPDX-License-Identifier: Apache-2.0
// Text of strangers (names of threads, paths, labels) inside HTML, SVG and Markdown. Pure; any
// bytes are accepted, the result is valid UTF-8 without control characters.
#pragma once

#include <string>
#include <string_view>

namespace stallproof {

// Bytes that are no UTF-8, and control characters but newline and tab, as U+FFFD.
std::string valid_utf8(std::string_view text);
// valid_utf8() with & < > " ' as references: good in text and in quoted attributes, of HTML and
// XML.
std::string escaped_markup(std::string_view text);
// valid_utf8() on one line, with what Markdown and the HTML in it would take for its own escaped.
std::string escaped_markdown(std::string_view text);
// As a code span, whatever backticks it holds. Never empty.
std::string markdown_code(std::string_view text);
// As a block of code, whatever backticks it holds. Ends in a newline.
std::string markdown_block(std::string_view text);
// At most `limit` characters, the last one then an ellipsis; never half a character.
std::string shortened(std::string_view text, std::size_t limit);
// One word of a shell command, quoted only where it has to be.
std::string shell_word(std::string_view text);

}  // namespace stallproof
