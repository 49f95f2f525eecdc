// SPDX-License-Identifier: Apache-2.0
// A null_blk device of our own, made by configfs: it has no content and answers each I/O after a
// time of our choice. It outlives its process, so its name is noted before it is made
// (left_things.h). Root only.
#pragma once

#include <cstdint>
#include <string>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "workloads/injector/dm_device.h"

namespace stallproof {

inline constexpr const char* kNullBlkGroup = "/sys/kernel/config/nullb";

struct NullDeviceShape {
  std::uint64_t mib = 64;
  Nanos answers_after = 0;    // 0: at once
  Nanos times_out_after = 0;  // the block layer's limit; 0: its own 30 s
};

// Made and ready for I/O. On failure there is none.
Result<DmBacking> make_null_device(const std::string& name, const NullDeviceShape& shape);
// Waits for what is in flight. One that is gone is no error.
Result<> remove_null_device(const std::string& name);

}  // namespace stallproof
