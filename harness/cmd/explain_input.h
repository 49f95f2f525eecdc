// SPDX-License-Identifier: Apache-2.0
// Files that somebody wants explained: finds out what each is, and explains it.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/explain/explanation.h"
#include "harness/explain/fs_knowledge.h"
#include "harness/explain/input_kind.h"

namespace stallproof {

struct ExplainedInput {
  std::string text;                     // as_one_document() of all, in the format asked for
  std::vector<std::string> signatures;  // of what was explained
  bool complete = false;                // all of the input was understood
  std::vector<std::string> notes;  // what each file was taken for, what of it was not understood
};

// `forced`: what the files are, packed by gzip or not; InputKind::unknown to find out. Texts of one
// kind are read as one, in their order. An Error when a file cannot be read or nothing in any of
// them can be explained.
Result<ExplainedInput> explain_files(const std::vector<std::string>& files, InputKind forced,
                                     const FsKnowledge& knowledge, const std::string& format);

// By its first bytes; false also when it cannot be read, or is stdin.
bool begins_as_vmcore(const std::string& file);

// text, json, dot or svg.
Result<std::string> render_as(const Explanation& explanation, const std::string& format);

// What a file-system file says, in plain words, with warnings. Errors name file:line:column.
Result<std::string> describe_fs_file(const std::string& path);

}  // namespace stallproof
