// SPDX-License-Identifier: Apache-2.0
// What a run has left on its target when its node died: the journal that knew of it was in /run and
// is gone with the boot. Its own directory is removed; of those that nodes share its mark, and they
// with the last mark. Controller; the target is asked by children with a deadline.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace stallproof {

// Where a run of several nodes at once stood among them; from its env.json.
struct SharedPlace {
  std::string job;
  unsigned rank = 0;
};

// Of the run of this node in `directory`, which nobody holds. A line for each thing that could not
// be removed, and one where its plan cannot be read.
std::vector<std::string> remove_left_on_target(const std::string& directory, const std::string& run,
                                               const std::optional<SharedPlace>& shared);

}  // namespace stallproof
