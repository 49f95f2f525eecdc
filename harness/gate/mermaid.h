// SPDX-License-Identifier: Apache-2.0
// The wait-for graph of a stall as a Mermaid flowchart, which GitHub and GitLab draw in Markdown.
// Pure. Names come from strangers: only letters, digits and a few harmless signs stay as they are.
#pragma once

#include <string>

#include "harness/store/run_read.h"

namespace stallproof {

// Without the fence around it; empty when there is no graph. Ends in a newline.
std::string mermaid_flowchart(const StoredExplanation& explanation);
// A label as Mermaid takes it between quotes.
std::string mermaid_text(const std::string& text);

}  // namespace stallproof
