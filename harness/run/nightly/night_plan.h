// SPDX-License-Identifier: Apache-2.0
// nightly.toml: a plan with a [nightly] table, which says where, for how long and how much of it is
// kept, and [labels]. In place of the plan's loads it may name vdbench's parameter files or a
// command that is watched. Plain values; durations in nanoseconds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/run/plan/plan.h"

namespace stallproof {

struct NightPlan {
  std::vector<std::string> targets;  // one after the other; may be empty for vdbench and a command
  Nanos duration = 8 * 3600 * kSecond;  // of each; vdbench's files say their own, this is the most
  LoadPlan plan;                        // no process in it: `vdbench` or `command` is run
  // "$target" in a word of these is the target.
  std::vector<std::string> vdbench, command;
  std::map<std::string, std::string> labels;
  std::string output;  // a state directory (run_dir.h); empty: the usual one
  std::optional<std::uint64_t> keep_days;
  std::optional<double> keep_gb;  // 10^9 bytes
  std::string listen, textfile, known;
  Nanos linger = 0;
  double min_hours = 0;
  std::string on_stall = "report";
  bool allow_crash = false;
  Nanos blocked_for = 60 * kSecond;  // in D for so long before the night: the node is not clean
};

// What was said on the command line, and counts more. Empty: nothing.
struct NightWords {
  std::vector<std::string> targets;
  std::optional<Nanos> duration;
  std::map<std::string, std::string> labels;
  std::string output;
};

// Errors name source:line:column and the word.
Result<NightPlan> parse_night(const std::string& text, const std::string& source,
                              const NightWords& words = {});
Result<NightPlan> read_night_file(const std::string& path, const NightWords& words = {});
// It is TOML and has a [nightly] table. False for what cannot be read, too.
bool is_night_file(const std::string& path);

}  // namespace stallproof
