// SPDX-License-Identifier: Apache-2.0
// Which runs a disk need not keep: the oldest first, never the only one that has an incident of a
// signature. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stallproof {

struct KeptRun {
  std::string directory;
  std::int64_t ended_ns = 0;  // since 1970
  std::uint64_t bytes = 0;
  std::set<std::string> signatures = {};  // of incidents whose evidence it has
  bool stays = false;                     // whatever the limits say
};

struct KeepLimits {
  std::optional<std::int64_t> keep_ns;      // older ones need not be kept
  std::optional<std::uint64_t> keep_bytes;  // all together
};

struct Retention {
  std::vector<KeptRun> remove;     // the oldest first
  std::vector<KeptRun> held_back;  // would go, but for the only incident of a signature
  std::uint64_t bytes = 0;         // of those that stay
};

// `runs` in any order; all that there are, or an incident may seem to be the only one.
Retention choose_runs_to_remove(std::vector<KeptRun> runs, const KeepLimits& limits,
                                std::int64_t now_ns);

}  // namespace stallproof
