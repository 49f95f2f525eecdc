// SPDX-License-Identifier: Apache-2.0
// The three commands that help most, now that a stall is explained. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/explain/explanation.h"

namespace stallproof {

struct NextCommand {
  std::string command;
  std::string why;
};

struct CaptureContext {
  std::string archive;           // path of the .tar.gz, or of the directory when there is none
  std::string target_words;      // "--pid 4711"; empty: the whole machine
  bool fusectl_mounted = false;  // else the abort file is not there yet
};

// Exactly three, most useful first.
std::vector<NextCommand> next_commands(const Explanation& explanation,
                                       const CaptureContext& context);

}  // namespace stallproof
