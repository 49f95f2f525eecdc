// SPDX-License-Identifier: Apache-2.0
// A stall that somebody reports, whatever it is given as: an incident or a capture, saved text of
// crash, a kernel log, a memory image. Explained here, or as it was explained when it was saved.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/explain/explanation.h"
#include "harness/scenario/scenario.h"

namespace stallproof {

// What made it, where a run of ours did.
struct RecordedScenario {
  std::string scenario;
  ScenarioRequest request;
};

struct ReportedStall {
  std::string source;  // for people: the first file, or the incident's directory
  Explanation explanation;
  std::optional<RecordedScenario> recorded;
  Settings load = {};  // recorded_load.h: of the run's plan, where it was no scenario
};

// Blocks on the disk that the files lie on, and for a memory image as look_at_vmcore(). An Error
// when nothing could be read, or when the files hold no stall that has a name.
Result<ReportedStall> read_reported_stall(const std::vector<std::string>& files,
                                          const std::vector<std::string>& fs_files);

}  // namespace stallproof
