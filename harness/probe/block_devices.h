// SPDX-License-Identifier: Apache-2.0
// What the kernel counts of each block device, read from /sys alone: neither the device nor a loop
// device's backing file is touched, and none of these files takes a lock that I/O holds
// (block/genhd.c part_inflight_show, part_stat_show; drivers/block/loop.c
// loop_attr_backing_file_show and drivers/md/dm.c dm_get_from_kobject take spinlocks; 6.18).
// Blocking by disk never; controller only.
#pragma once

#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

struct DeviceLook {
  Nanos taken_ns = 0;
  std::vector<DeviceRow> devices;  // those with I/O in flight, and suspended ones
  std::string problem;             // why none could be seen
};

// A /sys that cannot be read gives no devices and a problem.
DeviceLook look_at_devices(const std::string& sys = "/sys");

// The rows of `now`; those that are in both looks and completed no I/O between get `unchanged_for`.
std::vector<DeviceRow> compare_devices(const DeviceLook& before, const DeviceLook& now);

}  // namespace stallproof
