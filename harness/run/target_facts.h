// SPDX-License-Identifier: Apache-2.0
// What serves the file system under test: kernel modules with their versions, and of FUSE the
// process. Controller, never while load runs; blocks for some milliseconds, at most for 4 s.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/store/verdict.h"

namespace stallproof {

struct TargetFacts {
  std::vector<ModuleEntry> modules;
  std::optional<FsServerEntry> server;
};

// `fstype` as in mountinfo; `connection`: the minor number of a FUSE mount's device, 0 for others.
TargetFacts look_at_target_facts(const std::string& fstype, std::uint32_t connection);

void note_target_facts(const TargetFacts& facts, Verdict& verdict);

}  // namespace stallproof
