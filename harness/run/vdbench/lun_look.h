// SPDX-License-Identifier: Apache-2.0
// What the luns of a plan are before anything is done to them. Looks in a child with a deadline: a
// lun may lie on a file system that does not answer. Controller only.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "workloads/vdbench/raw_job.h"

namespace stallproof {

struct LunQuestion {
  std::string name, path;  // of the SD
  bool written = false;    // some run writes to it
  bool sized = false;      // size= is given: a missing file may be made
};

// In the order asked. An Error names the lun that cannot be used: missing, read-only, a directory,
// a device that is mounted or in use (unless allowed), or one that does not answer.
Result<std::vector<Lun>> look_at_luns(const std::vector<LunQuestion>& questions,
                                      bool allow_claimed);

}  // namespace stallproof
