// SPDX-License-Identifier: Apache-2.0
#include "harness/store/retention.h"

#include <algorithm>
#include <map>

namespace stallproof {

Retention choose_runs_to_remove(std::vector<KeptRun> runs, const KeepLimits& limits,
                                std::int64_t now_ns) {
  std::sort(runs.begin(), runs.end(), [](const KeptRun& a, const KeptRun& b) {
    return a.ended_ns != b.ended_ns ? a.ended_ns < b.ended_ns : a.directory < b.directory;
  });
  Retention chosen;
  std::map<std::string, std::size_t> holders;  // of a signature
  for (const KeptRun& run : runs) {
    chosen.bytes += run.bytes;
    for (const std::string& signature : run.signatures) ++holders[signature];
  }
  for (KeptRun& run : runs) {
    const bool too_old = limits.keep_ns && now_ns - run.ended_ns > *limits.keep_ns;
    const bool too_much = limits.keep_bytes && chosen.bytes > *limits.keep_bytes;
    if (run.stays || (!too_old && !too_much)) continue;
    const bool only_one =
        std::any_of(run.signatures.begin(), run.signatures.end(),
                    [&](const std::string& signature) { return holders[signature] == 1; });
    if (only_one) {
      chosen.held_back.push_back(std::move(run));
      continue;
    }
    for (const std::string& signature : run.signatures) --holders[signature];
    chosen.bytes -= run.bytes;
    chosen.remove.push_back(std::move(run));
  }
  return chosen;
}

}  // namespace stallproof
