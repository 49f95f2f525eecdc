// SPDX-License-Identifier: Apache-2.0
// The words of vdbench's command line. A value may stand at its letter (-e60) or behind it; several
// files may follow one -f; a word with '=' is a value for $name. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/cmd/outlet_words.h"
#include "harness/cmd/policy_words.h"
#include "harness/cmd/thresholds.h"
#include "workloads/vdbench/plan.h"

namespace stallproof {

struct VdbenchWords {
  std::vector<std::string> files;
  std::vector<std::string> values;   // name=value
  std::string output;                // -o; empty: not given
  bool simulate = false;             // -s
  std::vector<std::string> ignored;  // words that do nothing here (-m, -p …)
  PlanOptions options;

  // Ours, with two dashes.
  std::string engine = "psync";
  std::string canary;  // yes, no; empty: as usual
  bool no_jvm = false, lenient = false, allow_claimed = false, quiet = false, json = false;
  ThresholdWords thresholds;
  PolicyWords policy;
  OutletWords outlets;
  std::vector<std::string> labels, fs_files;
};

Result<VdbenchWords> read_vdbench_words(const std::vector<std::string>& words);

}  // namespace stallproof
