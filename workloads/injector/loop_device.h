// SPDX-License-Identifier: Apache-2.0
// A loop device of our own, which is free again when its last user is gone (LO_FLAGS_AUTOCLEAR),
// in whatever way that comes about. Root only.
#pragma once

#include <sys/types.h>

#include <string>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

struct LoopDevice {
  Fd fd;  // a user of it: the device stays as long as this is open
  std::string path;
  dev_t number = 0;
};

// `direct`: reads and writes of the backing file go past the page cache. The backing file stays
// open by the device, not by `backing`.
Result<LoopDevice> attach_loop_device(const Fd& backing, bool direct);

// Whether an open file or directory is on the file system of this very device: asked before
// anything is done to a file system as a whole.
bool lies_on(const LoopDevice& device, const Fd& file);

}  // namespace stallproof
