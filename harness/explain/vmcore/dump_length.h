// SPDX-License-Identifier: Apache-2.0
// Whether a dump file is as long as its own tables say: behind the end of a file libkdumpfile reads
// zeros, and zeros look like an answer.
#pragma once

#include "harness/base/result.h"

namespace stallproof {

// ELF and makedumpfile's compressed form (1.5 to 1.7), of which also the compression of the pages
// must be known; of other forms nothing is known, which is no error. Reads the table of pages, 24
// bytes for each page in the dump. Blocking.
Result<> check_length(int file);

}  // namespace stallproof
