// SPDX-License-Identifier: Apache-2.0
// Runs mkfs.ext4 on an image that may have no name. Waits for it up to 10 s.
#pragma once

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

// All of it is written before it returns: nothing goes on making it while it is under test.
Result<> make_ext4(const Fd& image);

}  // namespace stallproof
