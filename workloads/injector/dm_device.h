// SPDX-License-Identifier: Apache-2.0
// A device-mapper device of our own, by the ioctls of /dev/mapper/control: one linear target on
// another device. It outlives its process, so its name is noted before it is made (left_things.h).
// Root only, one thread. What is suspended stays so until it is resumed, by whomever.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "harness/base/result.h"

namespace stallproof {

// What every one of ours begins with; the rest is the run.
inline constexpr const char* kDmPrefix = "stallproof-";
inline constexpr const char* kDmControl = "/dev/mapper/control";

// The whole of a device, from its beginning.
struct DmBacking {
  dev_t device = 0;
  std::uint64_t bytes = 0;  // a multiple of 512
};

struct DmDevice {
  std::string name;
  std::string path;  // /dev/dm-N: nobody need have made a link of the name
  dev_t number = 0;
};

// Made, on `backing`, and ready for I/O. On failure there is none.
Result<DmDevice> make_dm_device(const std::string& name, const DmBacking& backing);

// I/O waits from now on, what is in flight is waited for. File systems on it are not frozen: they
// are to run into it (dm_suspend with DM_SKIP_LOCKFS_FLAG; drivers/md/dm.c, 6.18).
Result<> suspend_dm_device(const std::string& name);
// With the backing that was loaded last. One that is not suspended, or is gone, is no
// error.
Result<> resume_dm_device(const std::string& name);
// From the next resume on.
Result<> load_dm_backing(const std::string& name, const DmBacking& backing);
// At once, or when its last user has closed it. One that is gone is no error.
Result<> remove_dm_device(const std::string& name);

}  // namespace stallproof
