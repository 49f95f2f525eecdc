// SPDX-License-Identifier: Apache-2.0
// What a night did and what came of it: nights/ID/night.json, and what is printed. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stallproof {

struct NightTarget {
  std::string target;
  std::string command;  // as it was run; empty: it was not
  std::optional<int> exit_code;
  std::string problem;   // why it was not run, or did not end by itself
  int problem_code = 0;  // what that makes of the night: 2 when the user can mend it
};

struct NightKept {
  std::vector<std::string> removed;   // run directories
  std::vector<std::string> only_one;  // kept for the only incident of a signature
  std::uint64_t bytes = 0;            // of what is kept
  std::vector<std::string> problems;
};

struct NightRecord {
  std::string id, file, output, started, ended;
  std::map<std::string, std::string> labels;
  std::vector<std::string> cleaned;  // what was left by earlier runs, and is undone or closed
  std::vector<std::string> unclean;
  bool accepted = false;  // and it went on
  bool interrupted = false;
  std::vector<NightTarget> targets;
  std::vector<std::string> runs;  // directories
  std::optional<int> gate_code;   // absent: there was nothing to judge
  std::string gate_text;
  NightKept kept;
  std::vector<std::string> problems;  // of the night itself
};

// Of all that apply 2 comes first, then 1, then 3.
int night_exit_code(const NightRecord& record);
// One line: what the gate says, or why it could not be asked, and what else the morning must know.
std::string night_sentence(const NightRecord& record);
// The sentence first.
std::string night_text(const NightRecord& record);
std::string night_json(const NightRecord& record);

}  // namespace stallproof
