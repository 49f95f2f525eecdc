// SPDX-License-Identifier: Apache-2.0
// openflags= of parameter files, as vdbench reads them on Linux x86-64.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct OpenFlags {
  int flags = 0;             // for open(2), without the access mode
  bool sync_at_end = false;  // fsync= : fsync(2) before the file is closed
};

// o_direct and directio; o_sync, o_dsync and o_rsync, which are all O_DSYNC there; fsync; 0x….
// An Error names the word that is none of these.
Result<OpenFlags> open_flags_of_words(const std::vector<std::string>& words);

}  // namespace stallproof
