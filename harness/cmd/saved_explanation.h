// SPDX-License-Identifier: Apache-2.0
// Explanations that a run has left on disk. Controller side of explain; reads plain files of the
// run directory, which may block as any disk does.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct SavedExplanations {
  std::string text;  // as_one_document() of all, in order of incidents
  std::string
      problems;  // incidents without an explanation, joined by semicolons; empty when all have one
};

struct SavedSnapshots {
  std::vector<std::string> files;  // in order of incidents, at least one
  std::string problems;            // incidents without one, joined by semicolons
};

bool is_directory(const std::string& path);

// `directory`: an incident (explanation.txt and so on in it) or a run (incidents/ in it). `format`:
// text, json, dot or svg; several pictures do not fit into one svg.
Result<SavedExplanations> read_saved_explanations(const std::string& directory,
                                                  const std::string& format);
// What was seen: of an incident, a capture, or every incident of a run.
Result<SavedSnapshots> find_saved_snapshots(const std::string& directory);

}  // namespace stallproof
