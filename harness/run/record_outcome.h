// SPDX-License-Identifier: Apache-2.0
// What `record` says of a profile: the sentence, the JSON document, the exit code. Pure.
#pragma once

#include <sys/types.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "workloads/storm/map_profile.h"

namespace stallproof {

enum class RecordEnd { duration, process_ended, interrupted, full };

struct RecordOutcome {
  pid_t pid = 0;
  std::string path;
  RecordEnd end = RecordEnd::duration;
  std::optional<int> command_exit;  // as a shell says it
  bool command_runs_on = false;
  std::set<std::string> other_programs;
};

// Why the profile is not the whole truth; empty when it is.
std::vector<std::string> record_problems(const MapProfile& profile, const RecordOutcome& outcome);
int record_exit_code(const MapProfile& profile, const RecordOutcome& outcome);
// "java (pid 4711): 40612 calls by 8123 threads in 10.000 s, 4061/s: mmap 40 %, …".
std::string record_sentence(const MapProfile& profile, const RecordOutcome& outcome);
std::string record_json(const MapProfile& profile, const RecordOutcome& outcome);

}  // namespace stallproof
