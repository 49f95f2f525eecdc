// SPDX-License-Identifier: Apache-2.0
// A saved kernel log, explained: the graph of its tasks as far as the text tells it, and what the
// kernel reports beside them. Pure and total.
#pragma once

#include <string_view>
#include <vector>

#include "harness/explain/crash_text.h"
#include "harness/explain/explanation.h"
#include "harness/explain/fs_knowledge.h"

namespace stallproof {

struct ExplainedLog {
  // `reports` is set. Without a readable task the class is unknown where a report says that
  // something stands still, else none.
  Explanation explanation;
  std::vector<TextProblem> problems;  // by line; a cut header, a refused sysrq
  std::size_t tasks = 0, locks = 0;
  // Neither a task, a lock nor a report, nor a line that logging of a kernel had stamped.
  bool nothing_known = false;
};

ExplainedLog explain_kernel_log(std::string_view text, const FsKnowledge& knowledge);

}  // namespace stallproof
