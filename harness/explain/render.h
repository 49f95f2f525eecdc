// SPDX-License-Identifier: Apache-2.0
// An Explanation for people and programs. Pure; never fails, whatever bytes names hold. Each ends
// in a newline.
#pragma once

#include <string>
#include <string_view>

#include "harness/explain/explanation.h"

namespace stallproof {

// The terminal: some 40 lines of at most 100 columns; after them one line per kind of report.
std::string render_text(const Explanation& explanation);
// explanation.json: {class, signature, summary, nodes[], edges[], cycle|null, root{}, advice, lens,
// blind_spots[]}; empty ids in root are null. Of a kernel log also reports[{kind, task, pid, state,
// seconds, function, title, line, owners[{lock, waits, task, pid, holds, line}]}]; what the log
// does not tell is null. Invalid UTF-8 is replaced.
std::string render_json(const Explanation& explanation);
// For Graphviz.
std::string render_dot(const Explanation& explanation);
// A picture of its own layout: the circle or chain left, queue and other tasks right. Colours are
// attributes, so that it needs no style sheet; classes (wg-…) let a page that holds it choose
// others.
enum class SvgUse { file, page };  // a page brings background and heading itself
std::string render_svg(const Explanation& explanation, SvgUse use = SvgUse::file);

// Words of the formats.
std::string_view to_word(NodeKind kind);
std::string_view to_word(Role role);  // "none" for Role::none
std::string_view to_word(EdgeKind kind);
std::string_view to_word(LockMode mode);
std::string_view to_word(Certainty certainty);
std::string_view to_word(LensKind lens);

}  // namespace stallproof
